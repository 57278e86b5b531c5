import type { Clock } from '../../src/clock.ts'

export interface FakeClock extends Clock {
  /** Moves time forward, running every task that falls due on the way, in order of their instants. */
  pass(ms: number): Promise<void>
  /** Instants of the tasks that are still waiting. */
  readonly waiting: readonly number[]
}

/** A clock that stands still until it is told to move. */
export function fakeClock(start = Date.UTC(2026, 0, 5, 12)): FakeClock {
  let current = start
  let order = 0
  const tasks = new Map<number, { at: number; task: () => void }>()
  return {
    now: () => current,
    at(at, task) {
      const key = order++
      tasks.set(key, { at, task })
      return () => void tasks.delete(key)
    },
    get waiting() {
      return [...tasks.values()].map((entry) => entry.at).toSorted((a, b) => a - b)
    },
    async pass(ms) {
      const end = current + ms
      for (;;) {
        await turn()
        const due = [...tasks.entries()]
          .filter(([, entry]) => entry.at <= end)
          .toSorted(([keyA, a], [keyB, b]) => a.at - b.at || keyA - keyB)[0]
        if (!due) break
        current = Math.max(current, due[1].at)
        tasks.delete(due[0])
        due[1].task()
      }
      current = end
      await turn()
    },
  }
}

/** Lets everything that is ready run: promise continuations and one turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
