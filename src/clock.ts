/**
 * Time as the engine sees it. Every decision takes `now` as a parameter; only the edge asks the clock.
 *
 * Instants are whole milliseconds since the epoch (names end in `At`), durations are milliseconds (`…Ms`).
 */
export interface Clock {
  /** The current instant. Never goes backwards while the process runs (promise P18). */
  now(): number
  /**
   * Calls `task` once, not before `at`. Returns a function that cancels it; cancelling twice is harmless.
   * An instant in the past runs on the next turn of the event loop, never synchronously.
   */
  at(at: number, task: () => void): () => void
}

/** The longest delay a Node timer takes without wrapping around to 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** How far the wall clock may differ from the anchored time before it counts as a jump (promise P18). */
const JUMP_MS = 1000

export interface SystemClockOptions {
  /** The highest instant an earlier run has written; the clock starts no lower, so a clock set back re-fires nothing. */
  readonly notBefore?: number
  /** Told when the wall clock was moved by more than a second; the anchored time does not follow. */
  readonly onJump?: (jumpMs: number) => void
}

/** The process' clock: the wall time at start, carried forward by the monotonic timer (promise P18). */
export function systemClock(options: SystemClockOptions = {}): Clock {
  const wallAtStart = Math.max(Date.now(), options.notBefore ?? 0)
  const monotonicAtStart = performance.now()
  let known = wallAtStart - Date.now()
  const now = () => {
    const anchored = Math.floor(wallAtStart + (performance.now() - monotonicAtStart))
    if (options.onJump) {
      const difference = anchored - Date.now()
      if (Math.abs(difference - known) > JUMP_MS) {
        options.onJump(known - difference)
        known = difference
      }
    }
    return anchored
  }
  return {
    now,
    at(at, task) {
      let timer: NodeJS.Timeout
      const arm = () => {
        const delay = at - now()
        timer = setTimeout(
          () => {
            // Node may fire up to a millisecond early, and a long delay comes in several parts.
            if (now() < at) arm()
            else task()
          },
          Math.min(Math.max(delay, 0), LONGEST_TIMER_MS),
        )
      }
      arm()
      return () => clearTimeout(timer)
    },
  }
}
