import { DEFAULT_RATE_LIMIT } from '../access/principal.ts'
import { CARILLON } from '../alert/escalation/start.ts'
import { resolveTargets } from '../alert/paging/resolve-targets.ts'
import type { Core } from '../core.ts'
import type { Team } from '../directory/directory.ts'
import { Fault } from '../errors.ts'
import { acceptNotification } from '../notification/accept.ts'
import type { Arrival } from '../router/arrival.ts'
import { ANNOUNCED } from './duty-records.ts'
import { noticeOf, type NoticeKind } from './notice.ts'
import type { Announcements, Schedule } from './schedule.ts'
import { currentShift, nextShift, onCall } from './shifts.ts'
import { firstInstantShowing, readingAt } from './wall-clock.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const AGAIN_MS = 30_000

/** Tells people about their duty (behaviours E25, O15). */
export interface Announcer {
  /** Something about schedules may have changed: looks now, and from then on at every hand-off. */
  refresh(): void
  close(): void
}

/**
 * Compares who is on call with who was told last, which is a record: so nobody is told when nothing effective has
 * changed, a hand-off that fell into a standstill is told at the next start, and every notice goes out once, because it
 * is accepted under a key of the record's version. A team is told about from its first look on.
 */
export function createAnnouncer(core: Core): Announcer {
  let cancel = () => {}
  let closed = false
  let looking = false
  let again = false

  const look = async () => {
    const now = core.clock.now()
    let nextAt = Infinity
    const teams = core
      .directory()
      .tenants()
      .flatMap((tenant) => core.directory().teams(tenant))
    for (const team of teams) {
      if (!team.schedule?.announce) continue
      const duty = { team, schedule: team.schedule, announce: team.schedule.announce, now }
      if (duty.announce.onChange) nextAt = Math.min(nextAt, await tellOfChange(core, duty))
      if (duty.announce.dailyAt !== null)
        nextAt = Math.min(nextAt, await tellDaily(core, duty, duty.announce.dailyAt))
    }
    return nextAt
  }
  const run = () => {
    cancel()
    if (closed || looking) {
      again = true
      return
    }
    looking = true
    look()
      .catch((error: unknown) => {
        core.log.warn({ err: error }, 'a notice about who is on call failed and is tried again')
        return core.clock.now() + AGAIN_MS
      })
      .then((nextAt) => {
        looking = false
        if (closed) return
        if (again) {
          again = false
          run()
        } else if (nextAt < Infinity) cancel = core.clock.at(Math.max(nextAt, core.clock.now() + 1), run)
      })
      .catch((error: unknown) => core.log.error({ err: error }, 'notices about who is on call have stopped'))
  }
  return {
    refresh: run,
    close() {
      closed = true
      cancel()
    },
  }
}

interface Duty {
  readonly team: Team
  readonly schedule: Schedule
  readonly announce: Announcements
  readonly now: number
}

/** Resolves with the next instant at which the duty may change. */
async function tellOfChange(core: Core, duty: Duty): Promise<number> {
  const { team, schedule, now } = duty
  const users = onCall(schedule, now)
  const place = { tenant: team.tenant, owner: team.name, key: 'change' }
  const told = core.registry.get(ANNOUNCED, place)
  const before = told?.doc.users ?? users
  const on = users.filter((user) => !before.includes(user))
  const off = before.filter((user) => !users.includes(user))
  if (told === undefined || on.length > 0 || off.length > 0) {
    const round = `${told?.version ?? 0}:${users.join(',')}`
    const others = told === undefined ? [] : othersOf(core, duty, [...on, ...off])
    for (const user of on) await tell(core, duty, { user, kind: 'on', round })
    for (const user of off) await tell(core, duty, { user, kind: 'off', round })
    for (const user of others) await tell(core, duty, { user, kind: 'told', round })
    await core.registry.put(ANNOUNCED, place, { users, at: now }, told?.version ?? 0)
  }
  return (
    currentShift(schedule, now)?.to ?? (users.length > 0 ? null : nextShift(schedule, now)?.from) ?? Infinity
  )
}

/** Resolves with the next time of day. */
async function tellDaily(core: Core, duty: Duty, dailyAt: number): Promise<number> {
  const { team, schedule, now } = duty
  const { last, next } = timesAround(schedule.timezone, dailyAt, now)
  const place = { tenant: team.tenant, owner: team.name, key: 'daily' }
  const told = core.registry.get(ANNOUNCED, place)
  if (told === undefined || told.doc.at < last) {
    if (told !== undefined)
      for (const user of othersOf(core, duty, []))
        await tell(core, duty, { user, kind: 'told', round: `daily:${last}` })
    await core.registry.put(ANNOUNCED, place, { users: onCall(schedule, now), at: last }, told?.version ?? 0)
  }
  return next
}

/** The last time of day that was, now included, and the next. */
function timesAround(timezone: string, minutes: number, now: number) {
  let day = Math.floor(readingAt(timezone, now) / DAY_MS)
  const timeOn = (date: number) => firstInstantShowing(timezone, date * DAY_MS + minutes * MINUTE_MS)
  while (timeOn(day) > now) day--
  const last = timeOn(day)
  while (timeOn(day) <= now) day++
  return { last, next: timeOn(day) }
}

function othersOf(core: Core, { team, announce, now }: Duty, told: readonly string[]): readonly string[] {
  const { users } = resolveTargets(announce.to, {
    tenant: team.tenant,
    team,
    directory: core.directory(),
    at: now,
  })
  return users.filter((user) => !told.includes(user))
}

async function tell(
  core: Core,
  duty: Duty,
  notice: { readonly user: string; readonly kind: NoticeKind; readonly round: string },
): Promise<void> {
  const { team, schedule, now } = duty
  const { user, kind, round } = notice
  if (core.directory().user(user)?.tenant !== team.tenant) return
  const shift = currentShift(schedule, now)
  const users = shift?.users ?? []
  const names = users.map((id) => core.directory().user(id)?.name ?? id)
  const { name } = team
  const draft = noticeOf(kind, {
    team: name,
    timezone: schedule.timezone,
    names,
    users,
    until: shift?.to ?? null,
  })
  const arrival = arrivalOf(core, duty, `oncall:${name}:${round}:${kind}:${user}`)
  try {
    await acceptNotification(core, arrival, { kind: 'notify', to: { user }, draft })
  } catch (error) {
    // Whoever leaves the directory meanwhile is told nothing.
    if (!(error instanceof Fault) || error.entry.mqtt !== 'dead') throw error
  }
}

/** A message of the engine's own that counts once under this key. */
function arrivalOf(core: Core, { team: { name, tenant }, now }: Duty, onceKey: string): Arrival {
  const messageId = core.ids.next(now)
  const nothing = { roles: [], publish: [], subscribe: [] }
  return {
    publish: {
      principal: { kind: 'client', id: CARILLON, tenant, ...nothing, rateLimit: DEFAULT_RATE_LIMIT },
      topic: `oncall/${name}`,
      payload: Buffer.alloc(0),
      qos: 1,
      via: 'engine',
      fingerprint: null,
      dup: false,
      correlationId: messageId,
    },
    messageId,
    named: true,
    onceKey,
    now,
    submitted: () => {},
  }
}
