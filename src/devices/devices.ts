import type { TenantId } from '../access/principal.ts'
import { createInTurn } from '../alert/change/in-turn.ts'
import type { Clock } from '../clock.ts'
import type { Directory } from '../directory/directory.ts'
import { fault } from '../errors.ts'
import type { Log } from '../log.ts'
import { recordKind, type Registered, type Registry } from '../registry/registry.ts'
import {
  deviceId,
  parsePushAddress,
  targetKey,
  type Device,
  type Platform,
  type PushTarget,
} from './device.ts'

/** How many devices a person may have registered; one more takes the place of the one that was not seen for longest. */
export const MOST_DEVICES = 10

export interface DeviceDoc {
  readonly platform: Platform
  readonly name: string | null
  readonly target: PushTarget
  readonly createdAt: number
  /** When it was registered last. */
  readonly seenAt: number
  /** The end of its subscription that its owner was told of. */
  readonly warnedOf?: number
}

export const DEVICE = recordKind<DeviceDoc>('device')

/** Whose devices. */
export interface DeviceOwner {
  readonly tenant: TenantId
  readonly userId: string
}

export interface Registration {
  readonly platform: Platform
  readonly name: string | null
  readonly target: PushTarget
}

/** Everybody's phones and browsers: those of the configuration, and those that were registered. Reads need no store. */
export interface Devices {
  /** Those that the person can be reached on, the configuration's first. */
  of(userId: string): readonly Device[]
  find(id: string): Device | undefined
  /**
   * Makes the device the person's; resolves after the commit. The same target again is the same device. One that
   * somebody else had is taken from them first, so that a crash in between leaves it to nobody. Fault
   * `record.read_only` when the configuration gives it to somebody else.
   */
  register(
    owner: DeviceOwner,
    registration: Registration,
  ): Promise<{ readonly device: Device; readonly created: boolean }>
  /** Resolves after the commit with whether the person had it. Fault `record.read_only` for one of the configuration. */
  remove(owner: DeviceOwner, id: string): Promise<boolean>
  /** A push service says that there is no such device any more: it is forgotten, one of the configuration until the next start. */
  gone(address: string): void
}

export function createDevices(deps: {
  readonly registry: Registry
  readonly directory: () => Directory
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}): Devices {
  const { registry, clock, log } = deps
  const inTurn = createInTurn()
  const registered = indexOf(registry)
  const configured = configuredIn(deps.directory)
  const dead = new Set<string>()
  const alive = (device: Device | undefined) =>
    device !== undefined && dead.has(device.id) ? undefined : device

  const remove = ({ tenant, userId }: DeviceOwner, id: string) =>
    registry.remove(DEVICE, { tenant, owner: userId, key: id })

  async function put({ tenant, userId }: DeviceOwner, given: Registration) {
    const own = configured.byKey(targetKey(given.target))
    if (own) {
      if (own.userId !== userId)
        throw fault('record.read_only', 'The configuration gives this device to somebody else')
      dead.delete(own.id)
      return { device: own, created: false }
    }
    const before = registered.byKey.get(targetKey(given.target))
    if (before && before.owner !== userId)
      await remove({ tenant: before.tenant, userId: before.owner }, before.key)
    const now = clock.now()
    const known = before?.owner === userId ? before : undefined
    const key = known?.key ?? deviceId(userId, given.target)
    const doc = { ...given, createdAt: known?.doc.createdAt ?? now, seenAt: now }
    const stored = await registry.put(DEVICE, { tenant, owner: userId, key }, doc)
    await trim({ tenant, userId })
    return { device: deviceOf(stored), created: known === undefined }
  }

  async function trim(owner: DeviceOwner) {
    const all = registry.list(DEVICE, owner.tenant, owner.userId)
    const oldest = all.toSorted((a, b) => a.doc.seenAt - b.doc.seenAt)
    for (const { key } of oldest.slice(0, Math.max(all.length - MOST_DEVICES, 0))) await remove(owner, key)
  }

  return {
    of(userId) {
      const person = deps.directory().user(userId)
      if (person === undefined) return []
      const made = registry.list(DEVICE, person.tenant, userId)
      if (made.length === 0 && person.devices === undefined) return NONE
      const given = person.devices ?? NONE
      return [...given.filter((device) => !dead.has(device.id)), ...made.map(deviceOf)]
    },
    find(id) {
      const record = registered.byId.get(id)
      return record ? deviceOf(record) : alive(configured.byId(id))
    },
    // One after another: two people who register one device at a time must not both have it.
    register: (owner, registration) => inTurn('', () => put(owner, registration)),
    async remove(owner, id) {
      if (configured.byId(id)?.userId === owner.userId) throw fault('record.read_only')
      return remove(owner, id)
    },
    gone(address) {
      const parsed = parsePushAddress(address)
      if ('topic' in parsed) return
      const record =
        'device' in parsed ? registered.byId.get(parsed.device) : registered.byKey.get(parsed.token)
      const given = 'device' in parsed ? configured.byId(parsed.device) : configured.byKey(parsed.token)
      if (given) {
        dead.add(given.id)
        log.warn({ user: given.userId, device: given.id }, 'a device of the configuration is gone')
      }
      if (!record) return
      log.info({ user: record.owner, device: record.key }, 'device gone, forgotten')
      remove({ tenant: record.tenant, userId: record.owner }, record.key).catch((error: unknown) =>
        log.warn({ err: error, device: record.key }, 'a device that is gone could not be forgotten'),
      )
    },
  }
}

const NONE: readonly Device[] = []

function deviceOf({ owner, key, doc }: Registered<DeviceDoc>): Device {
  const { platform, name, target, createdAt, seenAt } = doc
  return { id: key, userId: owner, platform, name, target, registered: { createdAt, seenAt } }
}

/** What was registered, by id and by token or endpoint. */
function indexOf(registry: Registry) {
  const byId = new Map<string, Registered<DeviceDoc>>()
  const byKey = new Map<string, Registered<DeviceDoc>>()
  registry.watch(DEVICE, (now, before) => {
    if (before) {
      byId.delete(before.key)
      const key = targetKey(before.doc.target)
      if (byKey.get(key)?.owner === before.owner) byKey.delete(key)
    }
    if (now) {
      byId.set(now.key, now)
      byKey.set(targetKey(now.doc.target), now)
    }
  })
  return { byId, byKey }
}

/** The devices of the configuration that is in force; indexed anew when a reload brings another one. */
function configuredIn(directory: () => Directory) {
  let of: Directory | null = null
  let ids = new Map<string, Device>()
  let keys = new Map<string, Device>()
  const refresh = () => {
    const current = directory()
    if (current === of) return
    of = current
    const all = current
      .tenants()
      .flatMap((tenant) => current.users(tenant).flatMap((user) => user.devices ?? NONE))
    ids = new Map(all.map((device) => [device.id, device]))
    keys = new Map(all.map((device) => [targetKey(device.target), device]))
  }
  return {
    byId(id: string) {
      refresh()
      return ids.get(id)
    },
    byKey(key: string) {
      refresh()
      return keys.get(key)
    },
  }
}
