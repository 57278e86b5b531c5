import type { Clock } from '../../../clock.ts'

/** One question put to the server: its time, and when it was asked and answered here. */
export interface TimeSample {
  readonly askedAt: number
  readonly serverAt: number
  readonly answeredAt: number
}

/** A server that has been moved by more is followed forwards and reported. */
const JUMP_MS = 1000
const MEASURE_EVERY_MS = 60_000
const SAMPLES = 5

/**
 * How far the server's clock is ahead of this process': the median, so that one slow answer counts for nothing. The
 * server is taken to have read its clock in the middle.
 */
export function offsetOf(samples: readonly TimeSample[]): number {
  const offsets = samples
    .map(({ askedAt, serverAt, answeredAt }) => serverAt - (askedAt + answeredAt) / 2)
    .toSorted((a, b) => a - b)
  return Math.round(offsets[Math.floor(offsets.length / 2)] ?? 0)
}

export interface ServerClockOptions {
  /** This process' clock. */
  readonly base: Clock
  /** Asks the server for its time. */
  readonly ask: () => Promise<number>
  /** The highest instant that was ever written: a server that was set back re-fires nothing (promise P18). */
  readonly notBefore: number
  /** Told when the server's clock was moved by more than a second. */
  readonly onJump: (jumpMs: number) => void
}

/** Time as every node of a store sees it. */
export interface ServerClock extends Clock {
  /** Measures no more; `now` goes on. */
  stop(): void
}

/**
 * The server's clock, carried forward by this process' own and measured again every minute. It never goes backwards: when
 * the server was set back, it keeps its pace, as a node that starts then does from the high water mark. Rejects when the
 * server does not answer at first; later it goes on with what it knows.
 */
export async function serverClock(options: ServerClockOptions): Promise<ServerClock> {
  const { base, ask, notBefore, onJump } = options
  const measure = async (): Promise<number> => {
    const samples: TimeSample[] = []
    for (let index = 0; index < SAMPLES; index++) {
      const askedAt = base.now()
      const serverAt = await ask()
      samples.push({ askedAt, serverAt, answeredAt: base.now() })
    }
    return offsetOf(samples)
  }
  let measured = await measure()
  let offset = Math.max(measured, notBefore - base.now())
  let cancel = () => {}
  let stopped = false
  const again = async () => {
    const found = await measure()
    const jumpMs = found - measured
    measured = found
    if (Math.abs(jumpMs) >= JUMP_MS) onJump(jumpMs)
    // Of a moved clock only forwards; of drift in both directions, as slowly as it comes.
    offset = jumpMs <= -JUMP_MS ? offset : Math.max(found, offset + Math.min(0, jumpMs))
  }
  const arm = () => {
    if (stopped) return
    cancel = base.at(base.now() + MEASURE_EVERY_MS, () => {
      // Without an answer the old measure counts on: the server is away, which its users notice by themselves.
      again().then(arm, arm)
    })
  }
  arm()
  let last = 0
  const now = () => (last = Math.max(last, base.now() + offset))
  return {
    now,
    at(at, task) {
      let end = () => {}
      const wait = () => {
        end = base.at(base.now() + Math.max(0, at - now()), () => (now() < at ? wait() : task()))
      }
      wait()
      return () => end()
    },
    stop() {
      stopped = true
      cancel()
    },
  }
}
