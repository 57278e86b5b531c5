import { isOperator, type Principal } from '../access/principal.ts'
import type { Core } from '../core.ts'
import { scheduleInstant } from '../directory/local-time.ts'
import type { Team } from '../directory/directory.ts'
import { fault } from '../errors.ts'
import { readCalendar } from './calendar/read-calendar.ts'
import type { RecordKind } from '../registry/registry.ts'
import { CALENDAR, OVERRIDE, TEMPORARY, type OverrideRecord } from './duty-records.ts'
import type { Override, OverrideKind, Shift, TemporarySchedule } from './schedule.ts'

/** An override to be; times as {@link scheduleInstant} takes them. */
export interface OverrideWish {
  readonly user: string
  readonly from: string
  readonly to: string
  readonly kind?: OverrideKind | undefined
  readonly replaces?: string | undefined
}

export interface TemporaryWish {
  readonly from: string
  readonly to: string
  readonly shifts: readonly { readonly user: string; readonly from: string; readonly to: string }[]
}

/** As lists show it; `by` is null for what the configuration owns. */
export type Owned<T> = T & { readonly by: string | null }

/**
 * What people change about a team's duty while the program runs (behaviours E23, E24). The team's members and operators
 * may; members only for each other. Everything counts from its commit on, which the promises resolve after. Faults:
 * `auth.forbidden`, `request.invalid` with the field, `publish.unknown_user`, `oncall.past`, `oncall.overlap`,
 * `oncall.too_many`, `record.read_only`, `request.not_found`.
 */
export interface DutyBook {
  overrides(team: Team): readonly Owned<Override>[]
  addOverride(team: Team, by: Principal, wish: OverrideWish): Promise<Owned<Override>>
  removeOverride(team: Team, by: Principal, id: string): Promise<void>
  temporary(team: Team): readonly Owned<TemporarySchedule>[]
  addTemporary(team: Team, by: Principal, wish: TemporaryWish): Promise<Owned<TemporarySchedule>>
  removeTemporary(team: Team, by: Principal, id: string): Promise<void>
  /** Takes a calendar in place of the one before; operators only. Resolves with how many events it has. */
  importCalendar(team: Team, by: Principal, text: string): Promise<number>
  /** Resolves with whether there was one. */
  removeCalendar(team: Team, by: Principal): Promise<boolean>
}

const YEAR_MS = 366 * 24 * 60 * 60_000
/** What has ended stays visible for so long. */
const KEPT_MS = 90 * 24 * 60 * 60_000
/** Of a team, and of each kind. */
const MOST_RECORDS = 200

export function createDutyBook(core: Core): DutyBook {
  const { registry } = core
  const inTurn = <T>(team: Team, task: () => Promise<T>) =>
    core.inTurn(`oncall ${team.tenant} ${team.name}`, task)
  const placeOf = (team: Team, key: string) => ({ tenant: team.tenant, owner: team.name, key })
  /** Makes room, and says no when there is none. */
  const admit = async (team: Team, kind: RecordKind<{ readonly to: number }>) => {
    const known = registry.list(kind, team.tenant, team.name)
    const old = known.filter(({ doc }) => doc.to < core.clock.now() - KEPT_MS)
    for (const record of old) await registry.remove(kind, record)
    if (known.length - old.length >= MOST_RECORDS) throw fault('oncall.too_many')
  }
  const remove = async (team: Team, kind: RecordKind<object>, id: string) => {
    if (!(await registry.remove(kind, placeOf(team, id)))) throw fault('request.not_found')
  }

  return {
    overrides: (team) => overridesOf(core, team),
    temporary: (team) =>
      registry.list(TEMPORARY, team.tenant, team.name).map(({ key, doc }) => ({ id: key, ...doc })),
    addOverride: (team, by, wish) =>
      inTurn(team, async () => {
        const planned = overrideFrom(core, team, by, wish)
        refuseOverlap(overridesOf(core, team), planned)
        await admit(team, OVERRIDE)
        const id = core.ids.next(core.clock.now())
        await registry.put(OVERRIDE, placeOf(team, id), planned, 0)
        return { id, ...planned }
      }),
    removeOverride: (team, by, id) =>
      inTurn(team, async () => {
        demandMember(team, by)
        const known = overridesOf(core, team).find((override) => override.id === id)
        if (known?.by === null) throw fault('record.read_only')
        await remove(team, OVERRIDE, id)
      }),
    addTemporary: (team, by, wish) =>
      inTurn(team, async () => {
        const planned = temporaryFrom(core, team, by, wish)
        const other = registry
          .list(TEMPORARY, team.tenant, team.name)
          .find(({ doc }) => doc.from < planned.to && planned.from < doc.to)
        if (other !== undefined) throw fault('oncall.overlap', undefined, { id: other.key })
        await admit(team, TEMPORARY)
        const id = core.ids.next(core.clock.now())
        await registry.put(TEMPORARY, placeOf(team, id), planned, 0)
        return { id, ...planned }
      }),
    removeTemporary: (team, by, id) =>
      inTurn(team, async () => {
        demandMember(team, by)
        await remove(team, TEMPORARY, id)
      }),
    importCalendar: (team, by, text) => inTurn(team, () => importCalendar(core, team, by, text)),
    removeCalendar: (team, by) =>
      inTurn(team, async () => {
        demandOperator(by)
        demandUnfollowed(core, team)
        return registry.remove(CALENDAR, placeOf(team, 'calendar'))
      }),
  }
}

/** Those of the configuration first. */
function overridesOf({ registry }: Pick<Core, 'registry'>, team: Team): readonly Owned<Override>[] {
  const own = registry.list(OVERRIDE, team.tenant, team.name)
  // The team may be older than the registry; those of the file never change with it.
  const filed = (team.schedule?.overrides ?? []).filter(({ id }) => id.startsWith('file:'))
  return [
    ...filed.map((override) => ({ ...override, by: null })),
    ...own.map(({ key, doc }) => ({ id: key, ...doc })),
  ]
}

function demandMember(team: Team, by: Principal): void {
  if (by.kind === 'user' && team.members.includes(by.id)) return
  demandOperator(by)
}

function demandOperator(by: Principal): void {
  if (!isOperator(by)) throw fault('auth.forbidden')
}

/** Members name members; an operator may name anybody of the tenant. */
function demandUser(core: Core, team: Team, by: Principal, user: string, field: string): void {
  if (core.directory().user(user)?.tenant !== team.tenant)
    throw fault('publish.unknown_user', undefined, { field, in: 'body' })
  if (isOperator(by) || team.members.includes(user)) return
  throw fault('auth.forbidden', `Only an operator may name somebody outside the team ${team.name}`, { field })
}

function overrideFrom(core: Core, team: Team, by: Principal, wish: OverrideWish): OverrideRecord {
  demandMember(team, by)
  const { user, kind = 'replace', replaces } = wish
  demandUser(core, team, by, user, 'user')
  if (replaces !== undefined) {
    if (kind !== 'replace') throw invalid('replaces', `${kind} replaces nobody`)
    if (replaces === user) throw invalid('replaces', 'nobody replaces themselves')
    demandUser(core, team, by, replaces, 'replaces')
  }
  const window = windowOf(core, team, wish)
  return { user, ...window, kind, ...(replaces !== undefined && { replaces }), by: by.id }
}

function temporaryFrom(core: Core, team: Team, by: Principal, wish: TemporaryWish) {
  demandMember(team, by)
  const window = windowOf(core, team, wish)
  const shifts = wish.shifts.map((shift, index): Shift => {
    const field = `shifts.${index}`
    demandUser(core, team, by, shift.user, `${field}.user`)
    const from = instantOf(team, shift.from, `${field}.from`)
    const to = instantOf(team, shift.to, `${field}.to`)
    if (from >= to) throw invalid(`${field}.to`, 'must come after from')
    if (from < window.from || to > window.to) throw invalid(field, 'lies outside the temporary schedule')
    return { user: shift.user, from, to }
  })
  return { ...window, shifts, by: by.id }
}

/** A window that has begun already is taken, one that is over is not. */
function windowOf(core: Core, team: Team, wish: { readonly from: string; readonly to: string }) {
  const from = instantOf(team, wish.from, 'from')
  const to = instantOf(team, wish.to, 'to')
  if (from >= to) throw invalid('to', 'must come after from')
  if (to - from > YEAR_MS) throw invalid('to', 'is more than a year after from')
  if (to <= core.clock.now()) throw fault('oncall.past', undefined, { field: 'to', in: 'body' })
  return { from, to }
}

function instantOf(team: Team, text: string, field: string): number {
  const at = scheduleInstant(text, team.schedule?.timezone ?? 'UTC')
  if (at === null)
    throw invalid(field, 'must be a local time such as 2027-01-01T09:00, or one with an offset')
  return at
}

function invalid(field: string, why: string) {
  return fault('request.invalid', `body/${field} ${why}`, { field, in: 'body' })
}

/** Two that say different things about the same duty at the same time, or the same thing twice. */
function refuseOverlap(known: readonly Owned<Override>[], planned: OverrideRecord): void {
  const subject = ({ kind = 'replace', user, replaces }: Omit<Override, 'id'>) =>
    JSON.stringify(kind === 'replace' ? [kind, replaces ?? null] : [kind, user])
  const other = known.find(
    (override) =>
      override.by !== null &&
      override.from < planned.to &&
      planned.from < override.to &&
      subject(override) === subject(planned),
  )
  if (other !== undefined) throw fault('oncall.overlap', undefined, { id: other.id })
}

/** A calendar that is followed would be taken again in place of every other one. */
function demandUnfollowed(core: Core, team: Team): void {
  if (core.config().teams[team.name]?.schedule?.ical_url !== undefined) throw fault('record.read_only')
}

async function importCalendar(core: Core, team: Team, by: Principal, text: string): Promise<number> {
  demandOperator(by)
  const { registry } = core
  const place = { tenant: team.tenant, owner: team.name, key: 'calendar' }
  if (team.schedule?.calendar !== undefined && registry.get(CALENDAR, place) === undefined)
    throw fault('record.read_only')
  demandUnfollowed(core, team)
  const people = core.directory().users(team.tenant)
  const read = readCalendar(text, team.schedule?.timezone ?? 'UTC', people)
  if (!read.ok) {
    const [first] = read.faults
    throw fault('oncall.invalid_calendar', `Line ${first?.line}: ${first?.message}`, {
      faults: read.faults.slice(0, 20),
    })
  }
  await registry.put(CALENDAR, place, { events: read.events, by: by.id })
  return read.events.length
}
