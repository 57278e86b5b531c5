import type { Layer, Override, Schedule } from './schedule.ts'
import { firstInstantShowing, readingAt, readingOfDate } from './wall-clock.ts'

/** One person's duty; `from` inclusive, `to` exclusive. */
export interface Shift {
  readonly user: string
  readonly from: number
  readonly to: number
}

/** The duty that is going on; null where it has no beginning or no end. */
export interface CurrentShift {
  readonly user: string
  readonly from: number | null
  readonly to: number | null
}

/**
 * Who is on call at an instant: the last override that covers it, else the last layer that has somebody; null when
 * nobody is (promise P19, behaviours E22-E24). Costs the same however far `at` lies from the schedule's start.
 */
export function onCall(schedule: Schedule, at: number): string | null {
  return dutyAt(schedule, at).user
}

/** Who is on call at an instant, and what says so: an override by its id, or a layer by its place, counted from 1. */
export function dutySource(
  schedule: Schedule,
  at: number,
): { readonly user: string; readonly override?: string; readonly layer?: number } | null {
  for (const override of schedule.overrides.toReversed()) {
    const { user } = overrideAt(override, at)
    if (user !== null) return { user, override: override.id }
  }
  for (const [index, layer] of [...schedule.layers.entries()].toReversed()) {
    const { user } = layerAt(layer, schedule.timezone, at)
    if (user !== null) return { user, layer: index + 1 }
  }
  return null
}

/** The next person on call after `at` who is somebody else than now; null when no one else ever follows. */
export function nextOnCall(schedule: Schedule, at: number): string | null {
  return nextShift(schedule, at)?.user ?? null
}

/** The same with the instant at which that duty begins, which a gap may keep away from the end of this one. */
export function nextShift(
  schedule: Schedule,
  at: number,
): { readonly user: string; readonly from: number } | null {
  let duty = dutyAt(schedule, at)
  const current = duty.user
  while (duty.to < Infinity) {
    const from = duty.to
    duty = dutyAt(schedule, from)
    if (duty.user !== null && duty.user !== current) return { user: duty.user, from }
  }
  return null
}

/** The whole duty of whoever is on call at `at`, over hand-offs from a person to themselves; null in a gap. */
export function currentShift(schedule: Schedule, at: number): CurrentShift | null {
  const { user, ...duty } = dutyAt(schedule, at)
  if (user === null) return null
  let { from, to } = duty
  while (from > -Infinity) {
    const earlier = dutyAt(schedule, from - 1)
    if (earlier.user !== user) break
    from = earlier.from
  }
  while (to < Infinity) {
    const later = dutyAt(schedule, to)
    if (later.user !== user) break
    to = later.to
  }
  return { user, from: from === -Infinity ? null : from, to: to === Infinity ? null : to }
}

/** Every shift in `[from, to)`, clipped to it, in order. Neighbours differ in person or leave a gap between them. */
export function shifts(schedule: Schedule, from: number, to: number): readonly Shift[] {
  const found: Shift[] = []
  for (let at = from; at < to;) {
    const duty = dutyAt(schedule, at)
    const end = Math.min(duty.to, to)
    const last = found.at(-1)
    if (duty.user !== null) {
      if (last?.user === duty.user && last.to === at) found[found.length - 1] = { ...last, to: end }
      else found.push({ user: duty.user, from: at, to: end })
    }
    at = end
  }
  return found
}

/** A stretch of time over which one source of duty says the same; open ends are infinite. */
interface Stretch {
  readonly user: string | null
  readonly from: number
  readonly to: number
}

const NEVER_ANYBODY: Stretch = { user: null, from: -Infinity, to: Infinity }

/**
 * Asks overrides and layers from the strongest to the weakest. One that has nobody still narrows the stretch to where
 * it has nobody; what is weaker than the winner cannot matter and is not asked.
 */
function dutyAt(schedule: Schedule, at: number): Stretch {
  let from = -Infinity
  let to = Infinity
  for (const stretchAt of sources(schedule)) {
    const stretch = stretchAt(at)
    from = Math.max(from, stretch.from)
    to = Math.min(to, stretch.to)
    if (stretch.user !== null) return { user: stretch.user, from, to }
  }
  return { user: null, from, to }
}

function* sources(schedule: Schedule): Generator<(at: number) => Stretch> {
  for (const override of schedule.overrides.toReversed()) yield (at) => overrideAt(override, at)
  for (const layer of schedule.layers.toReversed()) yield (at) => layerAt(layer, schedule.timezone, at)
}

function overrideAt(override: Override, at: number): Stretch {
  if (override.from >= override.to) return NEVER_ANYBODY
  if (at < override.from) return { user: null, from: -Infinity, to: override.from }
  if (at >= override.to) return { user: null, from: override.to, to: Infinity }
  return override
}

/** A layer has nobody before the hand-off of its `start`; from there on, or without one always, exactly one person. */
function layerAt(layer: Layer, timezone: string, at: number): Stretch {
  const handoffs = handoffsOf(layer, timezone)
  if (layer.rotate.length === 0) return NEVER_ANYBODY
  if (at < handoffs.firstAt) return { user: null, from: -Infinity, to: handoffs.firstAt }
  const turn = handoffs.turnAt(at)
  const user = inTurn(layer.rotate, turn)
  if (layer.rotate.every((other) => other === user)) return { user, from: handoffs.firstAt, to: Infinity }
  let first = turn
  while (handoffs.at(first) > handoffs.firstAt && inTurn(layer.rotate, first - 1) === user) first--
  let next = turn + 1
  while (inTurn(layer.rotate, next) === user) next++
  return { user, from: handoffs.at(first), to: handoffs.at(next) }
}

function inTurn(rotate: readonly string[], turn: number): string {
  const index = ((turn % rotate.length) + rotate.length) % rotate.length
  // The index is within the list, which the caller knows is not empty.
  return rotate[index]!
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const PERIOD_MS = { hour: 60 * MINUTE_MS, day: DAY_MS, week: 7 * DAY_MS } as const

/** Turns are counted from here when a layer has no `start` (contract section 2): a Monday. */
const COUNTED_FROM = '1970-01-05'

/**
 * Hand-offs are equally far apart on the wall clock, not in elapsed time: turn `n` begins when the clocks of the zone
 * first show `first + n * period`. A turn whose whole wall-clock time is skipped is empty.
 */
function handoffsOf(layer: Layer, timezone: string) {
  const { weekday, hour, minute } = layer.handoff
  const date = readingOfDate(layer.start ?? COUNTED_FROM)
  // 1970-01-01 was a Thursday, ISO weekday 4.
  const isoWeekday = ((((date / DAY_MS + 3) % 7) + 7) % 7) + 1
  const daysBack = layer.every.unit === 'week' ? (isoWeekday - weekday + 7) % 7 : 0
  const first = date - daysBack * DAY_MS + (hour * 60 + minute) * MINUTE_MS
  const period = layer.every.count * PERIOD_MS[layer.every.unit]
  const at = (turn: number) => firstInstantShowing(timezone, first + turn * period)
  return {
    at,
    firstAt: layer.start === null ? -Infinity : at(0),
    turnAt(instant: number): number {
      let turn = Math.floor((readingAt(timezone, instant) - first) / period)
      // Clocks that were set back show a time again whose hand-off is already over.
      while (at(turn + 1) <= instant) turn++
      return turn
    },
  }
}
