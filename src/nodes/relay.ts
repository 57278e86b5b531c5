import type { TenantId } from '../access/principal.ts'
import type { Alert } from '../alert/alert.ts'
import type { Fence } from '../alert/paging/fence.ts'
import type { OpenAlerts } from '../alert/open-alerts.ts'
import type { Board } from '../board/board.ts'
import type { Clock } from '../clock.ts'
import type { Worker } from '../delivery/worker/worker.ts'
import type { Live, LiveOutcome } from '../live/live.ts'
import type { Presence } from '../live/presence.ts'
import type { EventLog, StreamEvent } from '../live/stream/event-log.ts'
import type { Log } from '../log.ts'
import type { PresenceDecision } from '../notification/decision.ts'
import type { Registry } from '../registry/registry.ts'
import type { Store } from '../store/store.ts'
import type { Bus, Others } from './bus.ts'
import { createHints } from './hints.ts'

/** How often records are looked at that no hint was heard of, and everything else while the bus is away. */
const POLL_MS = 2000
const ALERTS_AT_ONCE = 500

/** What happens on this node, before anybody else hears of it. */
export interface Here {
  readonly store: Pick<Store, 'alert' | 'openAlerts'>
  readonly live: Live
  readonly board: Board
  readonly fence: Fence
  readonly openAlerts: OpenAlerts
  readonly events: Pick<EventLog, 'add'>
  readonly registry: Registry
  readonly presence: Presence
  readonly worker: Pick<Worker, 'wake'>
  readonly clock: Clock
  readonly log: Log
}

/** Makes of parts of this node such that the others hear what is done with them; of a single node, the parts themselves. */
export interface Relay {
  /** For parts that have more to say to their likes; null on a single node. */
  readonly others: Others | null
  registry(own: Registry): Registry
  live(own: Live): Live
  board(own: Board): Board
  events(own: Pick<EventLog, 'add'>): Pick<EventLog, 'add'>
  worker(own: Worker): Worker
  presence(own: Presence): Presence
  /** From now on this node does what it hears of others; returns what ends that. */
  follow(here: Here): () => void
}

/**
 * Lets every node know what one of them has committed (architecture decision 5). What goes over the bus are hints: each
 * node reads the store, which is the truth, so a hint that is lost, late or doubled changes nothing in the end. While
 * the bus is away every node looks into the store every two seconds.
 */
export function createRelay(bus: Bus, log: Log): Relay {
  const hints = createHints(bus, log)
  return {
    others: {
      tell: (kind, body) => hints.tell(kind, body),
      hear: (kind, listener) =>
        bus.hear(kind, ({ body, from }) => {
          if (from !== bus.node) listener(body, from)
        }),
      get up() {
        return bus.up
      },
    },
    registry: (own) => ({
      ...own,
      async put(...args) {
        const put = await own.put(...args)
        hints.tell('records', {})
        return put
      },
      async remove(...args) {
        const removed = await own.remove(...args)
        hints.tell('records', {})
        return removed
      },
    }),
    live: (own) => ({
      ...own,
      stored(notification) {
        const { tenant, userId: user, seq } = notification
        own.stored(notification)
        hints.tell('inbox', { tenant, user, seq })
      },
      page(alert, user) {
        own.page(alert, user)
        hints.gather('page', { tenant: alert.tenant, id: alert.id }, user)
      },
      outcome(alert, outcome, user) {
        own.outcome(alert, outcome, user)
        hints.gather('outcome', { tenant: alert.tenant, id: alert.id, outcome }, user)
      },
      changed(user) {
        own.changed(user)
        hints.tell('changed', { user })
      },
    }),
    board: (own) => ({
      ...own,
      alertChanged(alert) {
        own.alertChanged(alert)
        hints.tell('alert', { tenant: alert.tenant, id: alert.id })
      },
      systemStatus(tenant, id, state) {
        hints.tell('state', { tenant, id, state })
        return own.systemStatus(tenant, id, state)
      },
    }),
    events: (own) => ({
      add(event) {
        const id = own.add(event)
        hints.tell('event', { event })
        return id
      },
    }),
    worker: (own) => ({
      ...own,
      wake(lane, at) {
        own.wake(lane, at)
        hints.tell('wake', { lane, at })
      },
    }),
    presence: (own) => ({
      ...own,
      apply(decision) {
        const answer = own.apply(decision)
        const { session_id: given } = answer
        const sessionId = typeof given === 'string' ? given : decision.sessionId
        hints.tell('presence', { decision: { ...decision, sessionId } })
        return answer
      },
    }),
    follow: (here) => follow(bus, here),
  }
}

/** The {@link Relay} of the only node of an installation. */
export const noRelay: Relay = {
  others: null,
  registry: (own) => own,
  live: (own) => own,
  board: (own) => own,
  events: (own) => own,
  worker: (own) => own,
  presence: (own) => own,
  follow: () => () => {},
}

function follow(bus: Bus, here: Here): () => void {
  const { live, board, events, registry, presence, log, clock } = here
  let closed = false
  let cancel = () => {}

  const others = (kind: string, listener: (body: Body) => void) =>
    bus.hear(kind, ({ body, from }) => {
      // Read by the same build, or the one before, that wrote it; fields are checked where they decide anything.
      if (from !== bus.node) listener(body as unknown as Body)
    })
  const failed = (error: unknown) =>
    log.warn({ err: error }, 'what another node has done could not be looked up')
  const alertOf = (body: Body) => here.store.alert(body.tenant, body.id)

  const show = (alert: Alert) => {
    const known = here.openAlerts.get(alert.id)
    if (
      known &&
      (known.version > alert.version || (known.version === alert.version && known.count > alert.count))
    )
      return
    const at = clock.now()
    if (alert.status === 'firing') here.fence.lower(alert.id, alert.pagesFrom, at)
    else here.fence.raise(alert.id, at)
    for (const ack of alert.acks ?? []) here.fence.raiseFor(alert.id, ack.by, ack.at)
    if (known || alert.status !== 'resolved') here.openAlerts.changed(alert)
    board.alertChanged(alert)
  }
  const looking = new Set<string>()
  others('alert', (body) => {
    if (looking.has(body.id)) return
    looking.add(body.id)
    // Hints that come before the look has begun are answered by it.
    queueMicrotask(() => {
      looking.delete(body.id)
      alertOf(body).then((alert) => alert && show(alert), failed)
    })
  })
  others('page', (body) => {
    alertOf(body).then((alert) => {
      if (alert?.status === 'firing') for (const user of body.users) live.page(alert, user)
    }, failed)
  })
  others('outcome', (body) => {
    alertOf(body).then((alert) => {
      if (alert) for (const user of body.users) live.outcome(alert, body.outcome, user)
    }, failed)
  })
  others('inbox', ({ tenant, user, seq }) => live.arrived(tenant, user, seq))
  others('changed', ({ user }) => user !== null && live.changed(user))
  others('event', ({ event }) => events.add(event))
  others('state', ({ tenant, id, state }) => void board.systemStatus(tenant, id, state))
  others('presence', ({ decision }) => void presence.apply(decision))
  others('wake', ({ lane, at }) => here.worker.wake(lane, at))

  let catching: Promise<void> | null = null
  let again = false
  const catchUp = (): void => {
    if (catching) {
      again = true
      return
    }
    catching = registry
      .catchUp()
      .catch(failed)
      .then(() => {
        catching = null
        if (again && !closed) {
          again = false
          catchUp()
        }
      })
  }
  others('records', catchUp)

  const lookAgain = () => {
    catchUp()
    live.arrived(null, null, 0)
    syncAlerts(here, show).catch(failed)
  }
  bus.onGap(lookAgain)
  const poll = () => {
    if (bus.up) catchUp()
    else lookAgain()
    cancel = clock.at(clock.now() + POLL_MS, poll)
  }
  cancel = clock.at(clock.now() + POLL_MS, poll)

  return () => {
    closed = true
    cancel()
  }
}

/** The fields of all hints. */
interface Body extends Readonly<Record<string, unknown>> {
  readonly tenant: TenantId
  readonly id: string
  readonly user: string | null
  readonly users: readonly string[]
  readonly seq: number
  readonly outcome: LiveOutcome
  readonly event: StreamEvent
  readonly state: Readonly<Record<string, unknown>>
  readonly decision: PresenceDecision
  readonly lane: string
  readonly at: number
}

/** Brings the open alerts of this node in line with the store. */
async function syncAlerts({ store, openAlerts }: Here, show: (alert: Alert) => void): Promise<void> {
  const gone = new Map([...openAlerts.all()].map((alert) => [alert.id, alert]))
  let cursor: string | undefined
  do {
    const page = await store.openAlerts(ALERTS_AT_ONCE, cursor)
    for (const alert of page.items) {
      gone.delete(alert.id)
      show(alert)
    }
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  for (const { tenant, id } of gone.values()) {
    const alert = await store.alert(tenant, id)
    if (alert) show(alert)
  }
}
