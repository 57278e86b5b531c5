import { deviceAddress, parsePushAddress } from '../../devices/device.ts'
import type { Devices } from '../../devices/devices.ts'
import type { Channel, Rendered, RenderInput } from '../channel.ts'
import { contentOf } from '../message/content.ts'
import { unasked } from '../providers/http-call.ts'
import { UNREGISTERED, type Fcm } from '../push/fcm.ts'
import type { FcmTarget } from '../push/fcm-message.ts'
import { pushContentOf } from '../push/push-content.ts'
import { cut, multiLine } from '../message/text.ts'
import { notConfigured } from './not-configured.ts'

const LONGEST_TITLE = 200
const LONGEST_BODY = 1000

/** What is known of devices, and told when one is gone. */
export type KnownDevices = Pick<Devices, 'of' | 'find' | 'gone'>

/**
 * Notifications on phones, and in the browsers that gave a token of FCM, each device an address of its own. The token
 * of a registered device is read at the attempt; one that FCM calls unregistered is never sent to again (promise P7).
 */
export function pushChannel({
  fcm,
  devices,
}: {
  readonly fcm: Fcm | null
  readonly devices: KnownDevices
}): Channel {
  return {
    name: 'push',
    provider: 'fcm',
    addresses: ({ id }) => addressesOn('push', id, devices),
    render: renderPush,
    async send(message, signal) {
      if (!fcm) return notConfigured('push')
      const target = targetOf(message.address, devices)
      if (target === null) return unasked('no_device', 'The device is not registered any more')
      const result = await fcm.send(target, message, signal)
      if (!result.ok && result.code === UNREGISTERED) devices.gone(message.address)
      return result
    },
    close: () => fcm?.close() ?? Promise.resolve(),
  }
}

function targetOf(address: string, devices: KnownDevices): FcmTarget | null {
  const parsed = parsePushAddress(address)
  if (!('device' in parsed)) return parsed
  const target = devices.find(parsed.device)?.target
  return target?.channel === 'push' ? { token: target.token } : null
}

/** The addresses of the person's devices that a channel serves. */
export function addressesOn(
  channel: 'push' | 'web_push',
  userId: string,
  devices: Pick<KnownDevices, 'of'>,
): readonly string[] {
  return devices
    .of(userId)
    .filter(({ target }) => target.channel === channel)
    .map(deviceAddress)
}

/** A title, a body, and what the app needs to show buttons; the same for phones and browsers. */
export function renderPush(input: RenderInput): Rendered {
  const content = contentOf(input)
  return {
    subject: cut(content.title, LONGEST_TITLE),
    text: cut(multiLine(content.text), LONGEST_BODY) || content.title,
    actions: content.actions,
    push: pushContentOf(input, content),
  }
}
