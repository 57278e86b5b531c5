import type { Clock } from '../clock.ts'
import type { TenantId } from '../access/principal.ts'
import type { Directory, Team } from '../directory/directory.ts'
import type { Log } from '../log.ts'
import { recordKind, type RecordPlace, type Registry } from '../registry/registry.ts'
import { handoffsOf } from './handoffs.ts'
import type { Layer } from './schedule.ts'

/** A rotation as it was in force last. */
export interface RotationRecord {
  readonly timezone: string
  readonly layer: Layer
}

/** Owned by the team, under the layer's name, else its place in its schedule. */
const ROTATION = recordKind<RotationRecord>('oncall_rotation')

/**
 * The layer with the `shift` that keeps on call who is, when people came into `rotate` or left it (behaviour E22); who
 * has left is followed by the next who has not. What says when turns begin counts anew when it was changed, and so does
 * another order of the same people: then the contract's count from `start` stands.
 */
export function keepTurn(before: RotationRecord | undefined, now: RotationRecord, at: number): Layer {
  const { layer, timezone } = now
  if (before === undefined || rules(before) !== rules(now)) return layer
  const { rotate, shift = 0 } = before.layer
  const handoffs = handoffsOf(layer, timezone)
  if (String(rotate) === String(layer.rotate)) return { ...layer, ...(shift !== 0 && { shift }) }
  if (String(rotate.toSorted()) === String(layer.rotate.toSorted()) || at < handoffs.firstAt) return layer
  const turn = handoffs.turnAt(at)
  const first = remainder(turn + shift, rotate.length)
  const on = [...rotate.slice(first), ...rotate.slice(0, first)].find((user) => layer.rotate.includes(user))
  if (on === undefined) return layer
  const kept = remainder(layer.rotate.indexOf(on) - turn, layer.rotate.length)
  return { ...layer, ...(kept !== 0 && { shift: kept }) }
}

/** Everything about a rotation but its people. */
function rules({ timezone, layer: { every, turns, handoff, start } }: RotationRecord): string {
  return JSON.stringify([timezone, every, turns, handoff, start])
}

function remainder(count: number, length: number): number {
  return ((count % length) + length) % length
}

/**
 * The same directory; the rotations of its teams go on from those that were in force before, over restarts, and are what
 * the next ones go on from. A crash before they are stored leaves those before them, which lead to the same duty.
 */
export function keepTurns(
  deps: { readonly registry: Registry; readonly clock: Pick<Clock, 'now'>; readonly log: Log },
  directory: Directory,
): Directory {
  const { registry, clock, log } = deps
  const now = clock.now()
  const stale = new Map([...registry.all(ROTATION)].map((record) => [nameOf(record), record]))
  const written: Promise<unknown>[] = []
  const keep = (team: Team): Team => {
    const { tenant, name, schedule } = team
    if (schedule === null) return team
    const layers = schedule.layers.map((layer, index) => {
      const numbered = { tenant, owner: name, key: String(index) }
      const place = layer.name === undefined ? numbered : { ...numbered, key: `name:${layer.name}` }
      const { timezone } = schedule
      // A layer that is given a name stays who it was.
      const before = (registry.get(ROTATION, place) ?? registry.get(ROTATION, numbered))?.doc
      stale.delete(nameOf(place))
      const kept = { timezone, layer: keepTurn(before, { timezone, layer }, now) }
      if (JSON.stringify(kept) !== JSON.stringify(before)) written.push(registry.put(ROTATION, place, kept))
      return kept.layer
    })
    return { ...team, schedule: { ...schedule, layers } }
  }
  const teams = new Map(
    directory
      .tenants()
      .flatMap((tenant) => directory.teams(tenant))
      .map((team) => [team, keep(team)]),
  )
  for (const record of stale.values()) written.push(registry.remove(ROTATION, record))
  Promise.all(written).catch((error: unknown) =>
    log.warn({ err: error }, 'rotations could not be stored; the next start counts from those before'),
  )
  const maybe = (team: Team | undefined) => team && (teams.get(team) ?? team)
  return {
    ...directory,
    team: (tenant: TenantId, name: string) => maybe(directory.team(tenant, name)),
    teams: (tenant) => directory.teams(tenant).map((team) => teams.get(team) ?? team),
    owner: (tenant, alertType) => maybe(directory.owner(tenant, alertType)),
  }
}

const nameOf = ({ tenant, owner, key }: RecordPlace) => JSON.stringify([tenant, owner, key])
