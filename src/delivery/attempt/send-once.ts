import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Channel, OutgoingMessage, SendResult } from '../channel.ts'
import { SEND_TIMEOUT_MS } from './retry.ts'

/** A channel that ignores its signal is given up this long after it. */
const DEAF_CHANNEL_MS = 1000

/**
 * Calls the channel in the same tick, once, for at most the ten seconds of promise P7 and one more. Never rejects: what
 * a channel throws, and silence, are doubtful results that are tried again.
 */
export async function sendOnce(
  channel: Pick<Channel, 'name' | 'send'>,
  message: OutgoingMessage,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<SendResult> {
  const now = clock.now()
  const abort = new AbortController()
  const cancelAbort = clock.at(now + SEND_TIMEOUT_MS, () => abort.abort())
  let cancelGiveUp = () => {}
  const givenUp = new Promise<SendResult>((resolve) => {
    const deaf = {
      ok: false,
      retry: true,
      code: 'timeout',
      reason: 'No answer in time',
      ambiguous: true,
    } as const
    cancelGiveUp = clock.at(now + SEND_TIMEOUT_MS + DEAF_CHANNEL_MS, () => resolve(deaf))
  })
  try {
    return await Promise.race([channel.send(message, abort.signal), givenUp])
  } catch (error) {
    log.error({ err: error, delivery: message.idempotencyKey, channel: channel.name }, 'channel failed')
    const reason = error instanceof Error ? error.message : String(error)
    return { ok: false, retry: true, code: 'channel_failed', reason, ambiguous: true }
  } finally {
    cancelAbort()
    cancelGiveUp()
  }
}
