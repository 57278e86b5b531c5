/**
 * Runs tasks of the same key one after another, in the order in which they came; tasks of different keys side by side.
 * Publishes of one condition go through it: a `resolved` right behind its `firing` must see what that one opened.
 */
export interface InTurn {
  <T>(key: string, task: () => Promise<T>): Promise<T>
}

export function createInTurn(): InTurn {
  const tails = new Map<string, Promise<unknown>>()
  return (key, task) => {
    const before = tails.get(key)
    // A failed task must not fail the next one.
    const own = before === undefined ? task() : before.then(task, task)
    tails.set(key, own)
    const leave = () => {
      if (tails.get(key) === own) tails.delete(key)
    }
    own.then(leave, leave)
    return own
  }
}
