import { afterAlertCommit } from '../../alert/change/after-commit.ts'
import type { Alert, AlertGroup } from '../../alert/alert.ts'
import { changed, type Changed } from '../../alert/change/changed.ts'
import { CARILLON } from '../../alert/escalation/start.ts'
import { planPaging, whoIsFor } from '../../alert/paging/paging.ts'
import { changeOf } from '../../alert/raising.ts'
import type { WhoIs } from '../../alert/paging/resolve-targets.ts'
import type { Core } from '../../core.ts'
import type { Delivery } from '../../delivery/delivery.ts'
import { newDelivery } from '../../delivery/plan.ts'
import { deliveriesOf } from '../../store/deliveries-of.ts'
import type { NewDelivery } from '../../store/store.ts'
import { isGroupedBy } from './follow-leader.ts'

/** How often a page is decided anew because the leader changed under it. */
const TRIES = 20
const AGAIN_MS = 30_000
/** Alerts that a notice lists. */
const NAMED = 5

/** What has become of a group since the last page of its leader. */
export interface News {
  readonly joined: AlertGroup['alerts']
  readonly ended: AlertGroup['alerts']
}

/** Compares what a leader's pages told with the alerts that follow it now; what is open on its own has not ended. */
export function newsOf(told: AlertGroup | undefined, now: AlertGroup, isOpen: (id: string) => boolean): News {
  const known = new Set(told?.alerts.map(({ id }) => id))
  return {
    joined: now.alerts.filter(({ id }) => !known.has(id)),
    ended: (told?.alerts ?? []).filter(({ id }) => !isOpen(id)),
  }
}

/**
 * Pages again for what has joined a group (behaviour A3): everybody who was told of its leader, and the webhooks and
 * topics of its last step. The policy's place and timer stay as they are.
 */
export function pageAgain(leader: Alert, { joined }: News, now: number, whoIs: WhoIs): Changed {
  const step = leader.step > 0 ? leader.step : null
  const { webhooks, topics } = whoIs(leader.policy.steps[leader.step - 1]?.notify ?? [])
  const users = Object.keys(leader.told)
  const entry = { at: now, kind: 'grouped', by: CARILLON, users, text: `Also ${listed(joined)}` } as const
  return changed(leader, {
    timeline: [entry],
    page: {
      level: leader.severity,
      step,
      repeat: leader.repeat,
      users,
      because: 'policy_step',
      admins: [],
      webhooks,
      topics,
    },
  })
}

/** The same for an alert that waits for its leader's next page, when that is due. */
export async function announceFor(core: Core, alert: Alert): Promise<void> {
  const waits = alert.status === 'suppressed' && isGroupedBy(alert)
  if (!waits || alert.nextStepAt === null || core.clock.now() < alert.nextStepAt) return
  const leader = core.noise.groups().leaderOf(alert)
  if (leader) await announce(core, leader)
}

/**
 * Tells of what has joined and ended in a group since its leader's last page. One commit holds the page and whom it
 * stands for, so a crash before it leaves everything to the timers of those that wait, and one after it pages nobody
 * twice. Does nothing when nothing is new, or when somebody has the leader in hand.
 */
export async function announce(core: Core, { tenant, id }: Alert): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const leader = await core.store.alert(tenant, id)
    if (leader?.status !== 'firing') return
    const now = core.clock.now()
    const group = core.noise.groups().toldBy(leader, now)
    if (group === null) return
    const news = newsOf(leader.group, group, (one) => core.openAlerts.get(one) !== undefined)
    if (news.joined.length + news.ended.length === 0) return
    const change =
      news.joined.length > 0
        ? pageAgain(leader, news, now, await whoIsFor(core, leader, now))
        : changed(leader, {
            alert: { ...leader, group },
            timeline: [{ at: now, kind: 'grouped', by: CARILLON, text: `Over: ${listed(news.ended)}` }],
          })
    const paged = planPaging(core, change.alert, change.page, now)
    const notices = await noticesOf(core, leader, news, paged.alert.nextOrdinal)
    const paging = {
      ...paged,
      alert: { ...paged.alert, nextOrdinal: paged.alert.nextOrdinal + notices.length },
      deliveries: [...paged.deliveries, ...notices],
    }
    if ((await core.store.changeAlert(changeOf(leader, paging, change, now))) !== 'done') continue
    afterAlertCommit(core, paging, change.timeline, [])
    return
  }
  throw new Error(`alert ${id} changes faster than its group can be told of`)
}

/** Who heard of alerts that are over hears so, on the channels that reached them, and wakes nobody (contract section 6). */
async function noticesOf(core: Core, leader: Alert, { ended }: News, from: number): Promise<NewDelivery[]> {
  if (ended.length === 0) return []
  const now = core.clock.now()
  const rows = await deliveriesOf(core.store, leader.tenant, leader.id)
  const places = new Map(
    rows.filter(hears).map((row) => [`${row.channel} ${row.userId} ${row.address}`, row]),
  )
  return [...places.values()].map(({ userId, channel, address }, index) =>
    newDelivery({
      tenant: leader.tenant,
      subjectKind: 'alert',
      subjectId: leader.id,
      purpose: 'outcome',
      origin: leader.origin,
      now,
      ordinal: from + index,
      userId,
      channel,
      lane: core.laneOf(channel, address),
      address,
      critical: false,
      leased: false,
      fixed: {
        subject: `OVER: ${ended.length} of the group of ${leader.type}`,
        text: `${listed(ended)}. Not over: ${leader.message}`,
      },
    }),
  )
}

function hears({ purpose, userId, channel, state }: Delivery): boolean {
  const reached = state === 'sent' || state === 'delivered'
  return purpose === 'page' && userId !== null && reached && channel !== 'realtime' && channel !== 'voice'
}

function listed(alerts: News['joined']): string {
  const names = alerts.slice(0, NAMED).map(({ name }) => name)
  return `${names.join(', ')}${alerts.length > NAMED ? ` and ${alerts.length - NAMED} more` : ''}`
}

/** Tells of ended alerts when the next page of their group may go out; several of them together. */
export interface EndNotices {
  /** A follower of this alert is over. */
  readonly ended: (leader: Alert) => void
  /** After the start, of what ended before a crash could tell. */
  readonly missed: () => void
}

export function createEndNotices(coreOf: () => Core): EndNotices {
  const planned = new Set<string>()
  const plan = (leader: Alert, at: number) => {
    if (planned.has(leader.id)) return
    planned.add(leader.id)
    coreOf().clock.at(at, () => {
      planned.delete(leader.id)
      announce(coreOf(), leader).catch((error: unknown) => {
        coreOf().log.warn({ err: error, alert: leader.id }, 'what ended in a group is told later')
        plan(leader, coreOf().clock.now() + AGAIN_MS)
      })
    })
  }
  const ended = (leader: Alert) =>
    plan(leader, coreOf().noise.groups().nextPageAt(leader, coreOf().clock.now()))
  return {
    ended,
    missed() {
      const { openAlerts } = coreOf()
      for (const alert of openAlerts.all())
        if (alert.group?.alerts.some(({ id }) => openAlerts.get(id) === undefined)) ended(alert)
    },
  }
}
