import type { Core } from '../../core.ts'
import { newDelivery } from '../../delivery/plan.ts'
import { roomIn } from '../../delivery/worker/start.ts'
import { waysTo, type Way } from '../../delivery/ways.ts'
import { webhookAddress } from '../../delivery/webhook-address.ts'
import type { ChannelName } from '../../delivery/delivery.ts'
import type { Directory, Person } from '../../directory/directory.ts'
import type { NewDelivery, NewNotification } from '../../store/store.ts'
import type { Alert } from '../alert.ts'
import type { Page } from '../escalation/start.ts'
import { withIdleTimer } from '../escalation/idle.ts'
import { pagedOn, pageTargets, type PageTarget } from './page-targets.ts'
import { resolveTargets, type WhoIs } from './resolve-targets.ts'
import type { OutcomeKind } from '../outcome/outcome-of.ts'
import { recordTold, type Told } from '../outcome/told.ts'

/** What telling people of an alert writes; the alert carries who was told and the next free ordinal. */
export interface Paging {
  readonly alert: Alert
  readonly deliveries: readonly NewDelivery[]
  readonly notifications: readonly NewNotification[]
  /** What the change comes to for those who were paged before: see outcome/outcome.ts. */
  readonly outcome?: {
    readonly kind: OutcomeKind
    /** Who caused it. */
    readonly by: string
    /** Whose live connections are told. */
    readonly watching: readonly string[]
  }
}

type Escalated = Pick<Alert, 'id' | 'tenant' | 'team' | 'policy' | 'turns' | 'createdAt'>

/** The world as this alert's policy sees it right now. Whose turn it is is looked up when it is asked for. */
export async function whoIsFor(core: Core, alert: Escalated, at: number): Promise<WhoIs> {
  const { tenant, turns } = alert
  const openings = await openingsOf(core, alert)
  const directory = core.directory()
  const team = alert.team === null ? null : (directory.team(tenant, alert.team) ?? null)
  const context = {
    tenant,
    team,
    directory,
    at,
    ...(turns && { turns }),
    lastAt: (target: string) => core.rounds.last(tenant, alert.team, target),
    canReach: (person: Person, channels: readonly ChannelName[] | undefined) =>
      (channels ?? pagedOn(person)).some((channel) => waysTo(core, person, channel).length > 0),
  }
  const whoIs: WhoIs = (targets, channels) => resolveTargets(targets, context, channels)
  return openings === null ? whoIs : Object.assign(whoIs, { openings })
}

/**
 * The world as a look ahead or back sees it: everybody counts as reached, and whose turn it is counts from the first.
 */
export function whoIsAt(directory: Directory, alert: Pick<Alert, 'tenant' | 'team'>, at: number): WhoIs {
  const team = alert.team === null ? null : (directory.team(alert.tenant, alert.team) ?? null)
  return (targets) => resolveTargets(targets, { tenant: alert.tenant, team, directory, at })
}

/** When as many alerts of the team opened lately as its steps may ask for; null when none asks (behaviour O5). */
async function openingsOf(
  core: Core,
  { id, tenant, team, policy, createdAt }: Escalated,
): Promise<readonly number[] | null> {
  const counts = policy.steps.flatMap(({ ifMoreThan }) => (ifMoreThan ? [ifMoreThan.count] : []))
  if (counts.length === 0) return null
  const limit = Math.max(...counts) + 1
  const { items } = await core.store.alerts({ tenant, limit, ...(team !== null && { team }) })
  return [createdAt, ...items.filter((other) => other.id !== id).map((other) => other.createdAt)]
}

/**
 * Turns a page into rows. A channel that cannot reach its person becomes a suppressed row that says why, so that
 * nobody is silently left out (decision 8). An info becomes an inbox entry, because it wakes nobody (R33). The alert is
 * as it is to be stored. Turns at round-robin targets are taken by this call.
 */
export function planPaging(core: Core, moved: Alert, page: Page | null, now: number): Paging {
  const timed = withIdleTimer(moved, now)
  if (page === null) return { alert: timed, deliveries: [], notifications: [] }
  const group = core.noise.groups().toldBy(timed, now)
  const alert = group === null ? timed : { ...timed, group }
  if (page.turns) core.rounds.took(alert, page.turns)
  const directory = core.directory()
  const targets = pageTargets(page, (id) => directory.user(id), now)
  if (page.level === 'info')
    return informing(
      core,
      alert,
      targets.map((target) => target.userId),
      now,
    )

  let ordinal = alert.nextOrdinal
  const told: Told[] = []
  const mayStart = roomIn(core.worker)
  const deliveries: NewDelivery[] = []
  const shared = {
    tenant: alert.tenant,
    subjectKind: 'alert',
    subjectId: alert.id,
    purpose: page.because === 'reminder' ? 'reminder' : 'page',
    critical: page.level === 'critical',
    ahead: !core.noise.floods(alert, now),
    origin: alert.origin,
    now,
    ...(page.step !== null && { step: page.step }),
  } as const
  for (const target of targets) {
    const person = directory.user(target.userId)
    if (person === undefined) continue
    const reached: string[] = []
    for (const { channel, address, afterMs, suppressed } of timedWays(core, person, target)) {
      const lane = core.laneOf(channel, address)
      deliveries.push(
        newDelivery({
          ...shared,
          ordinal: ordinal++,
          userId: person.id,
          channel,
          lane,
          address,
          dueAt: now + afterMs,
          leased: mayStart(lane),
          ...(suppressed !== undefined && { suppressed }),
        }),
      )
      if (suppressed === undefined) reached.push(channel)
    }
    for (const { channel, reason } of target.skipped) {
      deliveries.push(
        newDelivery({
          ...shared,
          ordinal: ordinal++,
          userId: person.id,
          channel,
          address: null,
          suppressed: reason,
        }),
      )
    }
    told.push({ userId: person.id, channels: reached })
  }
  for (const { channel, address } of machinesOf(core, page)) {
    const lane = core.laneOf(channel, address)
    deliveries.push(
      newDelivery({
        ...shared,
        ordinal: ordinal++,
        userId: null,
        channel,
        lane,
        address,
        leased: mayStart(lane),
        ...(address === null && { suppressed: 'no_address' }),
      }),
    )
  }
  return { alert: { ...recordTold(alert, told), nextOrdinal: ordinal }, deliveries, notifications: [] }
}

type TimedWay = Way & { readonly afterMs: number; readonly suppressed?: string }

/** Every address of every channel, each once per instant: `push` and `web_push` may both name the same browser. */
function timedWays(core: Core, person: Person, { channels }: PageTarget): readonly TimedWay[] {
  const ways = new Map<string, TimedWay>()
  for (const { channel, afterMs } of channels) {
    const found = waysTo(core, person, channel)
    for (const way of found) ways.set(`${way.channel} ${way.address} ${afterMs}`, { ...way, afterMs })
    if (found.length > 0) continue
    const suppressed = channel === 'push' || channel === 'web_push' ? 'no_device' : 'no_address'
    ways.set(`${channel} ${afterMs}`, { channel, address: null, afterMs, suppressed })
  }
  return [...ways.values()]
}

/** Where the webhooks and topics of a page are; null for what the configuration no longer names. */
function machinesOf(core: Core, { webhooks, topics }: Page) {
  return [
    ...webhooks.map((name) => {
      const endpoint = core.config().channels.webhook.endpoints[name]
      return {
        channel: 'webhook' as const,
        address: endpoint === undefined ? null : webhookAddress(name, endpoint.url),
      }
    }),
    ...topics.map((name) => ({
      channel: 'mqtt' as const,
      address: core.config().channels.mqtt.topics[name]?.topic ?? null,
    })),
  ]
}

function informing(core: Core, alert: Alert, users: readonly string[], now: number): Paging {
  const notifications = users.map((userId): NewNotification => ({
    id: core.ids.next(now),
    tenant: alert.tenant,
    userId,
    audience: [],
    origin: alert.origin,
    content: {
      title: `INFO: ${alert.type}`,
      message: alert.message,
      type: 'alert',
      priority: 'low',
      data: {
        alert_id: alert.id,
        alert_type: alert.type,
        source: alert.source,
        affected_systems: alert.affectedSystems,
      },
      severity: 'info',
      channels: ['realtime'],
    },
    createdAt: now,
  }))
  const deliveries = notifications.map((notification) =>
    newDelivery({
      tenant: alert.tenant,
      subjectKind: 'notification',
      subjectId: notification.id,
      ordinal: 0,
      purpose: 'message',
      userId: notification.userId,
      channel: 'realtime',
      address: null,
      critical: false,
      origin: alert.origin,
      now,
    }),
  )
  const told = users.map((userId) => ({ userId, channels: ['realtime'] }))
  return { alert: recordTold(alert, told), deliveries, notifications }
}
