import { mayPublish } from '../access/grants.ts'
import type { Core } from '../core.ts'
import type { Delivery } from '../delivery/delivery.ts'
import { newDelivery } from '../delivery/plan.ts'
import { resendDelivery } from '../delivery/resend.ts'
import { roomIn, startDeliveries } from '../delivery/worker/start.ts'
import { fault } from '../errors.ts'
import { SlidingWindow } from '../router/sliding-window.ts'
import { deliveriesOf } from '../store/deliveries-of.ts'
import type { NewDelivery, SentDispatch } from '../store/store.ts'
import type { Compile } from '../template/template-cache.ts'
import type { ServiceEvent } from './events.ts'
import {
  planSend,
  SERVICE_CHANNELS,
  type ChannelRequest,
  type PlannedSend,
  type SendRules,
  type ServiceChannel,
} from './plan-send.ts'
import type { Service } from './services.ts'
import { statesFor, statusOf, type ServiceStatus } from './status.ts'

/** What a service asks to be sent: per channel of the event, to whom and with which data (checklist N08). */
export type SendRequest = Readonly<Partial<Record<ServiceChannel, ChannelRequest>>>

export interface NotificationQuery {
  readonly eventId: string
  readonly status: ServiceStatus | null
  readonly limit: number
  readonly offset: number
}

/** Sends for services and remembers what was sent (checklist N08 to N13). */
export interface Sending {
  /**
   * One notification per channel, all in one commit; resolves with their ids after it. A second request with the same
   * `key` within a day sends nothing and resolves with the same (promise P3). Faults: `notipy.invalid`,
   * `publish.forbidden`, `rate_limit_exceeded`.
   */
  send(
    service: Service,
    event: ServiceEvent,
    request: SendRequest,
    key: string | null,
  ): Promise<readonly string[]>
  /** Newest first, with their number. */
  list(
    service: Service,
    query: NotificationQuery,
  ): Promise<{ readonly total: number; readonly items: readonly SentDispatch[] }>
  /** Throws `notipy.notification_not_found`. */
  get(
    service: Service,
    id: string,
  ): Promise<{ readonly sent: SentDispatch; readonly deliveries: readonly Delivery[] }>
  /**
   * Sends again what failed of a notification, or with `force` all of it, as further deliveries of the same one; one
   * that is under way never. Throws `notipy.not_failed`.
   */
  resend(service: Service, id: string, force: boolean): Promise<void>
}

const DAY_MS = 24 * 60 * 60_000
/** What a service needs to be granted for a channel. */
const TOPIC: Readonly<Record<ServiceChannel, string>> = {
  email: 'notifications/email/send',
  sms: 'notifications/sms/send',
  push: 'notifications/push/send',
}

export function createSending(core: Core, compile: Compile): Sending {
  const window = new SlidingWindow()
  const { store } = core

  const admit = ({ principal }: Service, count: number) => {
    const now = core.clock.now()
    const { rateLimit, id } = principal
    for (let taken = 0; taken < count; taken++) {
      if (window.take(id, rateLimit, now)) continue
      const retryAfterMs = Math.max(window.standing(id, rateLimit, now).freeAt - now, 1000)
      const limit = {
        max_requests: rateLimit.maxRequests,
        window_seconds: rateLimit.windowMs / 1000,
        remaining: 0,
      }
      throw fault(
        'rate_limit_exceeded',
        undefined,
        { rate_limit: limit, retry_after_ms: retryAfterMs },
        retryAfterMs,
      )
    }
  }
  const one = async ({ owner, principal: { tenant } }: Service, id: string) => {
    const { items } = await store.dispatches({ tenant, owner, id, limit: 1, offset: 0 })
    const [sent] = items
    if (!sent) throw fault('notipy.notification_not_found')
    return sent
  }

  return {
    async send(service, event, request, key) {
      const premium = core.config().channels.sms.allow_premium
      const planned = plannedFor(service, event, request, { compile, premium })
      admit(
        service,
        planned.reduce((sum, { addresses }) => sum + addresses.length, 0),
      )
      const { principal, owner } = service
      const now = core.clock.now()
      const sends = planned.map((send) => ({ send, id: core.ids.next(now) }))
      const deliveries = sends.flatMap(({ send, id }) =>
        deliveriesFor(core, service, { send, id, event, now }),
      )
      const ids = sends.map(({ id }) => id)
      const accepted = await store.accept({
        tenant: principal.tenant,
        at: now,
        principal: principal.id,
        topic: topicOf(event),
        // With the topic, as publishes have it: a key stands for one send about one event, and for no publish.
        once:
          key === null ? null : { key: `id:${topicOf(event)}:${key}`, expiresAt: now + DAY_MS, check: true },
        result: { ids },
        notifications: [],
        deliveries,
        dispatches: sends.map(({ send: { channel }, id }) => ({
          id,
          tenant: principal.tenant,
          owner,
          topic: event.id,
          doc: { channel_type: channel, event_version: event.version, dynamic_data: request[channel] ?? {} },
          createdAt: now,
        })),
        alert: null,
        deadLetter: null,
        release: null,
        urgent: false,
      })
      // Kept by an earlier call of this function under the same key.
      if (accepted.kind === 'duplicate') return accepted.result['ids'] as readonly string[]
      if (accepted.kind === 'accepted') {
        startDeliveries(core.worker, deliveries, accepted.leases, { notification: null, alert: null })
      }
      return ids
    },
    async list({ owner, principal: { tenant } }, { eventId, status, limit, offset }) {
      return store.dispatches({
        tenant,
        owner,
        topic: eventId,
        limit,
        offset,
        ...(status && statesFor(status)),
      })
    },
    async get(service, id) {
      const sent = await one(service, id)
      return { sent, deliveries: await deliveriesOf(store, service.principal.tenant, id) }
    },
    resend: (service, id, force) =>
      // Two at once would both find it failed, and send it twice.
      core.inTurn(`resend ${id}`, async () => {
        const status = statusOf((await one(service, id)).states)
        if (status === 'initiated') throw fault('notipy.not_failed', 'The notification is still being sent')
        if (status === 'success' && !force) throw fault('notipy.not_failed')
        const rows = standing(await deliveriesOf(store, service.principal.tenant, id))
        const chosen = force ? rows : rows.filter(({ state }) => statusOf([state]) === 'failed')
        admit(service, chosen.length)
        for (const row of chosen) await resendDelivery(core, service.principal, row.id)
      }),
  }
}

function plannedFor(
  { principal }: Service,
  { channels }: ServiceEvent,
  request: SendRequest,
  rules: SendRules,
): readonly PlannedSend[] {
  const asked = SERVICE_CHANNELS.flatMap((channel) => {
    const given = request[channel]
    return given === undefined ? [] : [{ channel, given }]
  })
  if (asked.length === 0) {
    throw fault('notipy.invalid', `Name a channel of the event: ${Object.keys(channels).join(', ')}`)
  }
  return asked.map(({ channel, given }) => {
    if (!mayPublish(principal, TOPIC[channel])) throw fault('publish.forbidden')
    return planSend(channels, channel, given, rules)
  })
}

function deliveriesFor(
  core: Core,
  { principal }: Service,
  parts: {
    readonly send: PlannedSend
    readonly id: string
    readonly event: ServiceEvent
    readonly now: number
  },
): readonly NewDelivery[] {
  const { send, id, event, now } = parts
  const mayStart = roomIn(core.worker)
  return send.addresses.map((address, ordinal) => {
    const lane = core.laneOf(send.channel, address)
    return newDelivery({
      tenant: principal.tenant,
      // Three attempts, as upstream makes (checklist N11).
      subjectKind: 'direct',
      subjectId: id,
      ordinal,
      purpose: 'message',
      userId: null,
      channel: send.channel,
      lane,
      address,
      critical: false,
      fixed: send.fixed,
      origin: { principal: principal.id, messageId: id, topic: topicOf(event) },
      now,
      leased: mayStart(lane),
    })
  })
}

/** The newest delivery to each address; what it replaced is history. */
function standing(rows: readonly Delivery[]): readonly Delivery[] {
  return [...new Map(rows.map((row) => [row.address, row])).values()]
}

function topicOf({ id }: ServiceEvent): string {
  return `notipy/events/${id}`
}
