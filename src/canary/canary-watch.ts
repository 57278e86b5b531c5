import { DEFAULT_TENANT } from '../access/principal.ts'
import { CARILLON } from '../alert/escalation/start.ts'
import type { Config } from '../config/schema/schema.ts'
import type { Core } from '../core.ts'
import { newDelivery } from '../delivery/plan.ts'
import { sendOwn } from '../delivery/direct/send-own.ts'
import { roomIn } from '../delivery/worker/start.ts'
import { waysTo } from '../delivery/ways.ts'
import type { Person } from '../directory/directory.ts'
import { durationMs } from '../duration.ts'
import { heldUntil } from '../notification/preferences.ts'
import { onCall } from '../oncall/shifts.ts'
import { deliveriesOf } from '../store/deliveries-of.ts'
import type { NewDelivery } from '../store/store.ts'
import {
  arrivedInTime,
  CANARY,
  CANARY_CHANNELS,
  nextCanaryAt,
  whyNot,
  type CanaryChannel,
  type CanaryPage,
} from './canary.ts'

type Settings = Config['canary']

export interface CanaryWatch {
  /** The configuration is another now. */
  readonly changed: () => void
  readonly stop: () => void
}

const PLACE = { tenant: DEFAULT_TENANT, owner: '', key: 'last' } as const
/** Nobody is on call, or the store is away: looked at again. */
const AGAIN_MS = 60_000
/** How often a node looks whether it has become its turn. */
const FOLLOWER_MS = 2000

/**
 * Sends the canary page of the configuration at its times, the whole way of a page but for the alert, and looks after it:
 * what no provider has taken within its time is told to the operators, once per channel, until one is taken in time again.
 * Quiet hours of its person put it off. Which page was the last one is stored, after its deliveries: a crash between
 * the two costs a second page.
 */
export function createCanaryWatch(core: Core): CanaryWatch {
  const { clock, registry, operatorAlarm, log } = core
  let cancel = () => {}

  const last = () => registry.get(CANARY, PLACE)?.doc
  const keep = (page: CanaryPage) => registry.put(CANARY, PLACE, page)

  const send = async (settings: Settings): Promise<number> => {
    const now = clock.now()
    const person = personOf(core, settings, now)
    if (!person) {
      log.warn('a canary page has nobody to go to')
      return now + AGAIN_MS
    }
    const quietUntil = heldUntil(person.quietHours, person.timezone, now, 'low')
    if (quietUntil !== null) return quietUntil
    const id = core.ids.next(now)
    await sendOwn(core, pagesTo(core, person, settings, { id, now }))
    await keep({ id, sentAt: now, checked: false })
    return now
  }
  const check = async (page: CanaryPage, { channels, within }: Settings) => {
    const rows = await rowsOf(core, page.id)
    for (const channel of channels) {
      if (arrivedInTime(rows, channel, durationMs(within))) operatorAlarm.over(causeOf(channel))
      else
        operatorAlarm(
          causeOf(channel),
          `The canary page was not taken on ${channel} within ${within}: ${whyNot(rows, channel)}`,
        )
    }
    await keep({ ...page, checked: true })
  }
  /** Does what is due; resolves with when to look again. */
  const look = async (settings: Settings): Promise<number> => {
    const page = last()
    // Another node does it; this one only has to be there when that one dies.
    if (core.leads?.() === false) return clock.now() + FOLLOWER_MS
    const checkAt = page && !page.checked ? page.sentAt + durationMs(settings.within) : Infinity
    const sendAt = nextCanaryAt(page, durationMs(settings.every), clock.now())
    if (checkAt <= clock.now() && page) {
      await check(page, settings)
      return clock.now()
    }
    if (checkAt === Infinity && sendAt <= clock.now()) return send(settings)
    return Math.min(checkAt, sendAt)
  }
  const arm = (at: number) => {
    cancel()
    const { canary: settings } = core.config()
    if (!isOn(settings)) return
    let current = true
    const off = clock.at(at, () => {
      look(settings).then(
        (next) => current && arm(next),
        (error: unknown) => {
          log.warn({ err: error }, 'a canary page could not be sent or looked after')
          if (current) arm(clock.now() + AGAIN_MS)
        },
      )
    })
    cancel = () => {
      current = false
      off()
    }
  }
  const changed = () => {
    const listed: readonly string[] = core.config().canary.channels
    for (const channel of CANARY_CHANNELS) if (!listed.includes(channel)) operatorAlarm.over(causeOf(channel))
    arm(clock.now())
  }
  changed()
  return { changed, stop: () => cancel() }
}

/**
 * Follows a canary page that a provider has taken, or reported as delivered: how long that took is measured, and what
 * was in trouble and is in time again is over.
 */
export function canaryMoved(
  core: Pick<Core, 'config' | 'metrics' | 'operatorAlarm'>,
  { channel, createdAt }: { readonly channel: string; readonly createdAt: number },
  state: 'sent' | 'delivered',
  at: number,
): void {
  core.metrics.canary.observe({ channel, state }, (at - createdAt) / 1000)
  const { canary } = core.config()
  if (at - createdAt > durationMs(canary.within)) return
  for (const asked of canary.channels)
    if (asked === channel || (asked === 'push' && channel === 'web_push'))
      core.operatorAlarm.over(causeOf(asked))
}

/** Somebody is named who gets it. */
function isOn({ user, team }: Settings): boolean {
  return user !== undefined || team !== undefined
}

function causeOf(channel: CanaryChannel): string {
  return `canary:${channel}`
}

/** The user, or who of the team is on call. */
function personOf(core: Core, { user, team }: Settings, now: number): Person | undefined {
  const directory = core.directory()
  if (user !== undefined) return directory.user(user)
  for (const tenant of directory.tenants()) {
    const schedule = team === undefined ? null : directory.team(tenant, team)?.schedule
    const [id] = schedule ? onCall(schedule, now) : []
    if (id !== undefined) return directory.user(id)
  }
  return undefined
}

/** One delivery for every address of the person on the channels, marked so that nobody takes it for the real thing. */
function pagesTo(
  core: Core,
  person: Person,
  { channels, every }: Settings,
  { id, now }: { readonly id: string; readonly now: number },
): readonly NewDelivery[] {
  const mayStart = roomIn(core.worker)
  const ways = channels.flatMap((channel) => waysTo(core, person, channel))
  const unique = [...new Map(ways.map((way) => [`${way.channel} ${way.address}`, way])).values()]
  return unique.map(({ channel, address }, ordinal) => {
    const lane = core.laneOf(channel, address)
    return newDelivery({
      tenant: person.tenant,
      subjectKind: 'direct',
      subjectId: id,
      ordinal,
      purpose: 'canary',
      userId: person.id,
      channel,
      lane,
      address,
      critical: false,
      fixed: {
        subject: '[Canary] Test page',
        text: `[Canary] Test page on ${channel}. Nothing is wrong; no answer is needed.`,
        push: { urgent: false, expiresAt: now + durationMs(every) },
      },
      origin: { principal: CARILLON, messageId: id, topic: '' },
      now,
      leased: mayStart(lane),
    })
  })
}

async function rowsOf(core: Core, id: string) {
  for (const tenant of core.directory().tenants()) {
    const rows = await deliveriesOf(core.store, tenant, id)
    if (rows.length > 0) return rows
  }
  return []
}
