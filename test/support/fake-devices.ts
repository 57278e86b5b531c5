import {
  deviceAddress,
  deviceId,
  type Device,
  type Platform,
  type PushTarget,
} from '../../src/devices/device.ts'
import type { Devices } from '../../src/devices/devices.ts'
import { NOON } from './messages.ts'

type Known = Pick<Devices, 'of' | 'find' | 'gone'>

/** Nobody has a device. */
export const noDevices: Known = { of: () => [], find: () => undefined, gone: () => {} }

/** A device as its owner would have registered it. */
export function device(userId: string, target: PushTarget, platform: Platform = 'web'): Device {
  const id = deviceId(userId, target)
  return { id, userId, platform, name: null, target, registered: { createdAt: NOON, seenAt: NOON } }
}

/** These devices; `gone` tells which addresses were given up. */
export function fakeDevices(all: readonly Device[]): Known & { readonly ended: readonly string[] } {
  const ended: string[] = []
  return {
    ended,
    of: (userId) => all.filter((one) => one.userId === userId),
    find: (id) => all.find((one) => one.id === id),
    gone(address) {
      ended.push(address)
    },
  }
}

/** The address of the only device. */
export function addressOf(devices: Pick<Devices, 'of'>, userId: string): string {
  const [first] = devices.of(userId)
  if (!first) throw new Error(`${userId} has no device`)
  return deviceAddress(first)
}
