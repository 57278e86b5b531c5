import { eventAt } from './calendar/event.ts'
import { handoffsOf } from './handoffs.ts'
import { hoursAt } from './hours.ts'
import type { Layer, Override, Schedule, Shift } from './schedule.ts'
import { ALWAYS, overlap, segmentAt, usersAt, type Stretch } from './stretch.ts'

/** The duty that is going on; null where it has no beginning or no end. */
export interface CurrentShift {
  /** The first of `users`. */
  readonly user: string
  /** Everybody who is on at once; more than one only by an added override, a calendar or a temporary schedule. */
  readonly users: readonly string[]
  readonly from: number | null
  readonly to: number | null
}

/** Who is on over a stretch; nobody in a gap. */
interface Duty extends Stretch {
  readonly users: readonly string[]
}

/**
 * How many stretches a search goes through: years of shifts by the hours of a day. What changes no more within them
 * counts as lasting for ever.
 */
const MOST_STRETCHES = 5000

/**
 * Everybody who is on call at an instant, the one who has the duty first; empty when nobody is (promise P19,
 * behaviours E22-E24). Costs the same however far `at` lies from the schedule's start.
 */
export function onCall(schedule: Schedule, at: number): readonly string[] {
  return dutyAt(schedule, at).users
}

/** The next person on call after `at` who is not on now; null when no one else ever follows. */
export function nextOnCall(schedule: Schedule, at: number): string | null {
  return nextShift(schedule, at)?.user ?? null
}

/** The same with the instant at which that duty begins, which a gap may keep away from the end of this one. */
export function nextShift(
  schedule: Schedule,
  at: number,
): { readonly user: string; readonly from: number } | null {
  let duty = dutyAt(schedule, at)
  const current = duty.users
  if ([...everybodyOf(schedule)].every((user) => current.includes(user))) return null
  for (let count = 0; duty.to < Infinity && count < MOST_STRETCHES; count++) {
    const from = duty.to
    duty = dutyAt(schedule, from)
    const user = duty.users.find((id) => !current.includes(id))
    if (user !== undefined) return { user, from }
  }
  return null
}

/** The whole duty of whoever is on call at `at`, over hand-offs from people to themselves; null in a gap. */
export function currentShift(schedule: Schedule, at: number): CurrentShift | null {
  const { users, ...duty } = dutyAt(schedule, at)
  const [user] = users
  if (user === undefined) return null
  const from = edgeOf(duty.from, (edge) => {
    const earlier = dutyAt(schedule, edge - 1)
    return sameUsers(earlier.users, users) ? earlier.from : null
  })
  const to = edgeOf(duty.to, (edge) => {
    const later = dutyAt(schedule, edge)
    return sameUsers(later.users, users) ? later.to : null
  })
  return { user, users, from, to }
}

/** Follows edges as long as `beyond` gives a further one; null where there is none at all. */
function edgeOf(first: number, beyond: (edge: number) => number | null): number | null {
  let edge = first
  for (let count = 0; Number.isFinite(edge); count++) {
    const further = beyond(edge)
    if (further === null) return edge
    if (count === MOST_STRETCHES) return null
    edge = further
  }
  return null
}

/**
 * Every shift in `[from, to)`, clipped to it, in the order of their beginnings. Two shifts of one person leave a gap
 * between them; shifts of different people overlap where several are on at once.
 */
export function shifts(schedule: Schedule, from: number, to: number): readonly Shift[] {
  const found: Shift[] = []
  const open = new Map<string, number>()
  for (const duty of dutiesBetween(schedule, from, to)) {
    for (const user of open.keys()) if (!duty.users.includes(user)) open.delete(user)
    for (const user of duty.users) {
      const index = open.get(user)
      const shift = index === undefined ? undefined : found[index]
      if (index !== undefined && shift) found[index] = { ...shift, to: duty.to }
      else open.set(user, found.push({ user, from: duty.from, to: duty.to }) - 1)
    }
  }
  return found
}

/** The stretches of `[from, to)` in which nobody is on call, clipped to it, in order; neighbours are one (pain P15). */
export function gaps(schedule: Schedule, from: number, to: number): readonly Stretch[] {
  const found: Stretch[] = []
  for (const duty of dutiesBetween(schedule, from, to)) {
    if (duty.users.length > 0) continue
    const last = found.at(-1)
    if (last?.to === duty.from) found[found.length - 1] = { from: last.from, to: duty.to }
    else found.push({ from: duty.from, to: duty.to })
  }
  return found
}

function* dutiesBetween(schedule: Schedule, from: number, to: number): Generator<Duty> {
  for (let at = from; at < to;) {
    const duty = dutyAt(schedule, at)
    const end = Math.min(duty.to, to)
    yield { users: duty.users, from: at, to: end }
    at = end
  }
}

/**
 * Overrides on top of the schedule proper. A whole replacement hides everything below it, which then is not asked; what
 * is asked narrows the stretch to where it says the same. Whoever is removed does not come in by an earlier override.
 */
function dutyAt(schedule: Schedule, at: number): Duty {
  let stretch = ALWAYS
  const removed = new Set<string>()
  const active: Override[] = []
  for (const override of schedule.overrides.toReversed()) {
    const segment = segmentAt(override, at)
    stretch = overlap(stretch, segment)
    if (!segment.inside) continue
    if (override.kind === 'remove') removed.add(override.user)
    else if (!removed.has(override.user)) active.unshift(override)
    if (active[0] === override && isWhole(override)) return { users: withOverrides([], active), ...stretch }
  }
  const planned = plannedAt(schedule, at, removed)
  return { users: withOverrides(planned.users, active), ...overlap(stretch, planned) }
}

function isWhole({ kind = 'replace', replaces }: Override): boolean {
  return kind === 'replace' && replaces === undefined
}

/** Additions and replacements in turn. */
function withOverrides(planned: readonly string[], active: readonly Override[]): readonly string[] {
  let users = planned
  for (const { user, kind, replaces } of active) {
    if (kind === 'add') users = [...users, user]
    else users = replaces === undefined ? [user] : users.map((id) => (id === replaces ? user : id))
  }
  return [...new Set(users)]
}

/** What a temporary schedule says, else the calendar, else the layers from the strongest to the weakest. */
function plannedAt(schedule: Schedule, at: number, removed: ReadonlySet<string>): Duty {
  let stretch = ALWAYS
  const here = (users: readonly string[]) => users.filter((user) => !removed.has(user))
  for (const temporary of (schedule.temporary ?? []).toReversed()) {
    const segment = segmentAt(temporary, at)
    stretch = overlap(stretch, segment)
    if (!segment.inside) continue
    const duty = usersAt(temporary.shifts, at)
    return { users: here(duty.users), ...overlap(stretch, duty) }
  }
  const noted = new Set<string>()
  for (const event of schedule.calendar ?? []) {
    const segment = eventAt(event, at)
    stretch = overlap(stretch, segment)
    if (segment.inside) noted.add(event.user)
  }
  const users = here([...noted])
  if (users.length > 0) return { users, ...stretch }
  for (const layer of schedule.layers.toReversed()) {
    const duty = layerAt(layer, schedule.timezone, at)
    stretch = overlap(stretch, duty)
    const left = here(duty.users)
    if (left.length > 0) return { users: left, ...stretch }
  }
  return { users: [], ...stretch }
}

/** One person within the layer's hours from the hand-off of its `start` on; nobody else. */
function layerAt(layer: Layer, timezone: string, at: number): Duty {
  if (layer.only === undefined) return turnAt(layer, timezone, at)
  const { inside, ...hours } = hoursAt(layer.only, timezone, at)
  if (!inside) return { users: [], ...hours }
  const turn = turnAt(layer, timezone, at)
  return { users: turn.users, ...overlap(hours, turn) }
}

function turnAt({ rotate, ...layer }: Layer, timezone: string, at: number): Duty {
  if (rotate.length === 0) return { users: [], ...ALWAYS }
  const handoffs = handoffsOf({ rotate, ...layer }, timezone)
  if (at < handoffs.firstAt) return { users: [], from: -Infinity, to: handoffs.firstAt }
  const turn = handoffs.turnAt(at)
  const userOf = (number: number) => inTurn(rotate, number + (layer.shift ?? 0))
  const user = userOf(turn)
  if (rotate.every((other) => other === user)) return { users: [user], from: handoffs.firstAt, to: Infinity }
  let first = turn
  while (handoffs.at(first) > handoffs.firstAt && userOf(first - 1) === user) first--
  let next = turn + 1
  while (userOf(next) === user) next++
  return { users: [user], from: handoffs.at(first), to: handoffs.at(next) }
}

function inTurn(rotate: readonly string[], turn: number): string {
  const index = ((turn % rotate.length) + rotate.length) % rotate.length
  // The index is within the list, which the caller knows is not empty.
  return rotate[index]!
}

function* everybodyOf({ layers, overrides, calendar, temporary }: Schedule): Generator<string> {
  for (const { rotate } of layers) yield* rotate
  for (const { user } of overrides) yield user
  for (const { user } of calendar ?? []) yield user
  for (const { shifts: own } of temporary ?? []) for (const { user } of own) yield user
}

function sameUsers(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((user, index) => user === b[index])
}
