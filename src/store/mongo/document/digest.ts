import type { ChannelName } from '../../../delivery/delivery.ts'
import type { Digest } from '../../store.ts'
import type { DigestDocument } from '../collections.ts'

export function readDigest({ id, channel, userId, address, openedAt }: DigestDocument): Digest {
  return { id, channel: channel as ChannelName, userId, address, openedAt }
}
