import type { Core } from '../core.ts'
import { createOutgoing } from '../delivery/outgoing/outgoing.ts'
import { durationMs } from '../duration.ts'

const WAIT_MS = 10_000
const LONGEST_ANSWER = 64 * 1024
/** How often it is looked whether a reload has set a URL. */
const IDLE_MS = 60_000

/**
 * Fetches `watchdog.ping_url` as long as nothing is wrong (promise P21), so that a silence there means that this
 * program is dead, cut off, or late. Only over https to public addresses, unless `watchdog.allow` says otherwise
 * (security row 22). A ping that failed is logged and not repeated. Returns what stops it.
 */
export function pingDeadMan(
  { config, clock, log }: Pick<Core, 'config' | 'clock' | 'log'>,
  trouble: () => string | null,
): () => void {
  const abort = new AbortController()
  let cancel = () => {}
  const ping = async (url: string, allow: readonly string[]) => {
    const outgoing = createOutgoing({ allow, setting: 'watchdog.allow' })
    const room = (bytes: number) => bytes <= LONGEST_ANSWER
    const answer = await outgoing.get({ url, signal: abort.signal, waitMs: WAIT_MS, room })
    const well = answer.kind === 'answer' && answer.status >= 200 && answer.status < 300
    if (well || abort.signal.aborted) return
    const { kind } = answer
    log.warn(
      {
        outcome: kind,
        ...(kind === 'answer' && { status: answer.status }),
        ...(kind === 'refused' && { because: answer.because }),
        ...(kind === 'failed' && { code: answer.code }),
      },
      'the ping of the watchdog failed',
    )
  }
  const arm = () => {
    const { ping_url: url, every } = config().watchdog
    cancel = clock.at(clock.now() + (url === undefined ? IDLE_MS : durationMs(every)), () => {
      const { ping_url: now, allow } = config().watchdog
      if (now !== undefined && trouble() === null) void ping(now, allow)
      arm()
    })
  }
  arm()
  return () => {
    abort.abort()
    cancel()
  }
}
