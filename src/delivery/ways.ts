import type { Core } from '../core.ts'
import { parsePushAddress, type Platform } from '../devices/device.ts'
import type { Recipient } from './channel.ts'
import type { ChannelName } from './delivery.ts'

/** One delivery to be: a channel, and the address on it; none on `realtime`. */
export interface Way {
  readonly channel: ChannelName
  readonly address: string | null
}

const REALTIME: readonly Way[] = [{ channel: 'realtime', address: null }]

/**
 * Every way in which a chosen channel reaches the person now; none when it cannot. `push` means all devices of theirs:
 * phones, and the browsers that are served as `web_push` (contract section 7).
 */
export function waysTo(
  core: Pick<Core, 'addressesOf'>,
  person: Recipient,
  channel: ChannelName,
): readonly Way[] {
  if (channel === 'realtime') return REALTIME
  const on = (name: ChannelName) =>
    core.addressesOf(person, name).map((address) => ({ channel: name, address }))
  return channel === 'push' ? [...on('push'), ...on('web_push')] : on(channel)
}

/** Whether a way leads to a device of this platform (checklist R37). */
export function leadsTo({ address }: Way, platform: Platform, devices: Core['devices']): boolean {
  const parsed = parsePushAddress(address ?? '')
  return 'device' in parsed && devices.find(parsed.device)?.platform === platform
}
