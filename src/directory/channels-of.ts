import type { CHANNELS_OF_RULES } from '../config/schema/people.ts'
import type { ChannelName } from '../delivery/delivery.ts'

/** The channels of a list as people write it, each once: `app` is everything that shows up on an open page or app. */
export function channelsOf(written: readonly (typeof CHANNELS_OF_RULES)[number][]): readonly ChannelName[] {
  return [...new Set(written.map((channel) => (channel === 'app' ? 'realtime' : channel)))]
}
