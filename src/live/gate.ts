/** Runs a task when one of its places is free. Rejects and resolves as the task does. */
export type Gate = <T>(task: () => Promise<T>) => Promise<T>

const PER_TURN = 32

/**
 * Lets `places` tasks run at once and the rest wait in order, so that ten thousand people who reconnect in the same
 * second do not stand in front of every other reader of the store (promise P22).
 */
export function createGate(places: number): Gate {
  let free = places
  let head = 0
  let handovers = 0
  let waiting: (() => void)[] = []
  const leave = () => {
    const next = waiting[head]
    if (!next) {
      free += 1
      return
    }
    head += 1
    // Cutting the front off now and then keeps a long queue linear and a drained one empty.
    if (head === waiting.length || head > 1024) {
      waiting = waiting.slice(head)
      head = 0
    }
    handovers += 1
    // A store that answers from memory would otherwise let the whole queue through in one turn of the event loop.
    if (handovers % PER_TURN === 0) setImmediate(next)
    else next()
  }
  return async (task) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await task()
    } finally {
      leave()
    }
  }
}
