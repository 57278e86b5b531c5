import type { ChannelName } from '../delivery.ts'
import type { SendResult } from '../channel.ts'

/** What a channel answers that was told to send but has no provider: final, and visible as such. */
export function notConfigured(channel: ChannelName): SendResult {
  return {
    ok: false,
    retry: false,
    code: 'not_configured',
    reason: `No provider is configured for ${channel}`,
  }
}
