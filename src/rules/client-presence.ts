import type { Principal, TenantId } from '../access/principal.ts'
import type { Config } from '../config/schema/schema.ts'
import type { Core } from '../core.ts'
import { durationMs } from '../duration.ts'
import { recordKind } from '../registry/registry.ts'
import { raiseOwnAlert } from './own-alert.ts'

/**
 * Where a watched machine was when it was seen last: `online` until it says goodbye, however often its connection
 * breaks; `lost` once its loss was told.
 */
type State = 'online' | 'lost' | 'away'
const CLIENT = recordKind<{ readonly state: State }>('client-presence')

/** So many losses within the window are an alarm, although the client comes back every time. */
const FLAPS = 5
const FLAP_WINDOW_MS = 60_000
const TRY_AGAIN_MS = 1000

type Settings = NonNullable<Config['clients'][string]['presence']>

interface Watched {
  readonly id: string
  readonly tenant: TenantId
  /** Open MQTT connections, of all nodes. */
  connections: number
  /** By node. */
  readonly at: Map<string, number>
  /** Losses since it was last seen to be steady. */
  flaps: number
  /** What the store was told last: the registry shows it only once it is written. */
  state: State | null
  /** Whether its alert is open, as far as is known. */
  told: boolean
  cancelLoss: () => void
  cancelSteady: () => void
  cancelFlaps: () => void
}

/** Machines whose loss is an alarm: `clients.<id>.presence` (feature 4). */
export interface ClientPresence {
  /** A connection of a client was let in. */
  came(principal: Principal): void
  /** A connection ended: `goodbye` with DISCONNECT, `lost` in any other way. */
  left(principal: Principal, how: 'goodbye' | 'lost'): void
  /** A node is gone with all connections that it had. */
  gone(node: string): void
  /** Knows again whose loss an earlier run has told. */
  recall(): void
  /** Whoever was connected when an earlier run ended can come back from now on: each has its whole grace. */
  start(): void
  close(): void
}

/**
 * Raises an alert when the last connection of a client is lost and none comes back within its grace, or when it is lost
 * again and again; ends it when the client is back, or says goodbye. A takeover is no loss, because the new
 * connection is there before the old one ends. Stored is that a client came and went, never a break of its connection.
 */
export function createClientPresence(core: () => Core): ClientPresence {
  const clients = new Map<string, Watched>()
  let closed = false

  const settingsOf = (id: string): Settings | undefined => {
    const all = core().config().clients
    return Object.hasOwn(all, id) ? all[id]?.presence : undefined
  }
  const watched = (id: string, tenant: TenantId): Watched => {
    let client = clients.get(id)
    if (!client) {
      client = { id, tenant, connections: 0, at: new Map(), flaps: 0, state: null, told: false, ...NO_TIMERS }
      clients.set(id, client)
    }
    return client
  }
  const remember = (client: Watched, state: State) => {
    const place = { tenant: client.tenant, owner: '', key: client.id }
    if ((client.state ?? core().registry.get(CLIENT, place)?.doc.state) === state) return
    client.state = state
    core()
      .registry.put(CLIENT, place, { state })
      .catch((error: unknown) => {
        client.state = null
        core().log.warn({ err: error, client: client.id }, 'the presence of a client could not be kept')
      })
  }
  const after = (ms: number, task: () => void) => core().clock.at(core().clock.now() + ms, task)

  const tell = (client: Watched, status: 'firing' | 'resolved') => {
    const settings = settingsOf(client.id)
    if (!settings || closed) return
    if (core().leads?.() === false) {
      // Another node tells it, and this one when that node has died first.
      after(TRY_AGAIN_MS, () => {
        const away = client.connections === 0
        if (client.told === (status === 'resolved') && away === (status === 'firing')) tell(client, status)
      })
      return
    }
    client.told = status === 'firing'
    raiseOwnAlert(core(), {
      tenant: client.tenant,
      topic: `clients/${client.id}/presence`,
      onceKey: `presence:${client.id}:${status}:${core().clock.now()}`,
      decision: {
        kind: 'alert',
        level: settings.alert.severity,
        alertType: settings.alert.type,
        status,
        message: messageOf(client, settings),
        source: client.id,
        affectedSystems: [],
        dedupKey: `client:${client.id}`,
        data: { client: client.id, flaps: client.flaps },
      },
    }).then(
      () => remember(client, status === 'firing' ? 'lost' : client.connections > 0 ? 'online' : 'away'),
      (error: unknown) => {
        core().log.warn({ err: error, client: client.id }, 'an alarm about a client has to wait')
        // Unless the opposite was told meanwhile.
        if (client.told === (status === 'firing')) after(TRY_AGAIN_MS, () => tell(client, status))
      },
    )
  }
  const lost = (client: Watched, graceMs: number) => {
    client.cancelSteady()
    if (client.flaps++ === 0) client.cancelFlaps = after(FLAP_WINDOW_MS, () => judgeFlaps(client))
    if (client.told) return
    client.cancelLoss = after(graceMs, () => {
      if (client.connections === 0 && !client.told) tell(client, 'firing')
    })
  }
  const judgeFlaps = (client: Watched) => {
    if (client.flaps < FLAPS) client.flaps = client.told ? client.flaps : 0
    else if (!client.told) {
      tell(client, 'firing')
      if (client.connections > 0) whenSteady(client)
    }
  }
  /** Whoever was lost again and again is believed to be back only after a while. */
  const whenSteady = (client: Watched) => {
    client.cancelSteady()
    client.cancelSteady = after(client.flaps < FLAPS ? 0 : FLAP_WINDOW_MS, () => {
      if (client.connections === 0) return
      if (client.told) tell(client, 'resolved')
      client.flaps = 0
    })
  }

  /** So many connections a client has on a node now; if there are fewer, the last one ended like this. */
  const count = (client: Watched, node: string, now: number, how: 'goodbye' | 'lost') => {
    const before = client.connections
    client.connections += now - (client.at.get(node) ?? 0)
    if (now > 0) client.at.set(node, now)
    else client.at.delete(node)
    const settings = settingsOf(client.id)
    if (!settings) return
    if (client.connections > before) {
      if (before > 0) return
      client.cancelLoss()
      if (client.told) whenSteady(client)
      else remember(client, 'online')
    } else if (client.connections < before && client.connections === 0) {
      if (how === 'lost') {
        lost(client, durationMs(settings.grace))
        return
      }
      client.cancelLoss()
      client.cancelSteady()
      client.cancelFlaps()
      client.flaps = 0
      if (client.told) tell(client, 'resolved')
      else remember(client, 'away')
    }
  }
  const tellOthers = ({ id, tenant, at }: Watched, how: 'goodbye' | 'lost') =>
    core().others?.tell('client', { id, tenant, count: at.get(HERE) ?? 0, how })
  const listen = () => {
    const { others, registry } = core()
    others?.hear('client', ({ id, tenant, count: now, how }, from) => {
      if (!closed)
        count(watched(String(id), tenant as TenantId), from, Number(now), how === 'goodbye' ? how : 'lost')
    })
    // Whoever has just come knows of nobody's connections.
    others?.hear('clients?', () => {
      for (const client of clients.values()) if (client.at.has(HERE)) tellOthers(client, 'lost')
    })
    others?.tell('clients?', {})
    if (others)
      registry.watch(CLIENT, (now) => {
        const client = now && clients.get(now.key)
        if (!now || !client) return
        client.told = now.doc.state === 'lost'
        client.state = now.doc.state
        if (client.told && client.connections > 0) whenSteady(client)
      })
  }

  return {
    came({ id, kind, tenant }) {
      if (kind !== 'client' || closed) return
      const client = watched(id, tenant)
      count(client, HERE, (client.at.get(HERE) ?? 0) + 1, 'lost')
      tellOthers(client, 'lost')
    },
    left({ id, kind, tenant }, how) {
      if (kind !== 'client' || closed) return
      const client = watched(id, tenant)
      count(client, HERE, Math.max(0, (client.at.get(HERE) ?? 0) - 1), how)
      tellOthers(client, how)
    },
    gone(node) {
      for (const client of clients.values()) if (client.at.has(node)) count(client, node, 0, 'lost')
    },
    recall() {
      listen()
      for (const { tenant, key, doc } of core().registry.all(CLIENT))
        if (settingsOf(key) && doc.state === 'lost') watched(key, tenant).told = true
    },
    start() {
      for (const { tenant, key, doc } of core().registry.all(CLIENT)) {
        const settings = settingsOf(key)
        if (!settings || doc.state !== 'online') continue
        const client = watched(key, tenant)
        if (client.connections === 0) lost(client, durationMs(settings.grace))
      }
    },
    close() {
      closed = true
      for (const client of clients.values()) {
        client.cancelLoss()
        client.cancelSteady()
        client.cancelFlaps()
      }
    },
  }
}

/** This node, among those that have connections. */
const HERE = ''

const NO_TIMERS = { cancelLoss: () => {}, cancelSteady: () => {}, cancelFlaps: () => {} }

function messageOf({ id, flaps }: Watched, { grace }: Settings): string {
  return flaps >= FLAPS
    ? `${id} lost its connection ${flaps} times within a minute`
    : `${id} lost its connection and was not back within ${grace}`
}
