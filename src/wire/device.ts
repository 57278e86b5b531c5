import Type from 'typebox'
import { PLATFORMS, targetKey, type Device } from '../devices/device.ts'
import { rfc3339 } from './instant.ts'
import { maskAddress } from './mask.ts'

/** What {@link renderDevice} makes (contract section 7). */
export const DeviceSchema = Type.Object(
  {
    id: Type.String(),
    platform: Type.Union(PLATFORMS.map((name) => Type.Literal(name))),
    channel: Type.Union([Type.Literal('push'), Type.Literal('web_push')]),
    name: Type.Union([Type.String(), Type.Null()]),
    address: Type.String({ description: 'End of the token, or the push service' }),
    read_only: Type.Boolean({ description: 'Given by the configuration' }),
    created_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    seen_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    expires_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'When the subscription of a browser ends, if it says so',
    }),
  },
  {
    $id: 'Device',
    examples: [
      {
        id: '5f3c2d1e0f115f3c2d1e0f115f3c2d1e',
        platform: 'android',
        channel: 'push',
        name: 'Pixel 9',
        address: '…x4Qz',
        read_only: false,
        created_at: '2026-01-05T12:00:00.000Z',
        seen_at: '2026-01-05T12:00:00.000Z',
        expires_at: null,
      },
    ],
  },
)

/** A device on the wire, without what would let a reader send to it. */
export function renderDevice(device: Device) {
  const { id, platform, name, target, registered } = device
  return {
    id,
    platform,
    channel: target.channel,
    name,
    address: target.channel === 'push' ? `…${target.token.slice(-4)}` : maskAddress(targetKey(target)),
    read_only: registered === null,
    created_at: rfc3339(registered?.createdAt ?? null),
    seen_at: rfc3339(registered?.seenAt ?? null),
    expires_at: rfc3339(target.channel === 'push' ? null : (target.subscription.expirationTime ?? null)),
  }
}
