import type { TenantId } from '../../access/principal.ts'
import type { ChannelName } from '../../delivery/delivery.ts'
import type { Directory, Person, Team } from '../../directory/directory.ts'
import { nextOnCall, onCall } from '../../oncall/shifts.ts'

/** Who the targets of an escalation step are at one moment. */
export interface ResolvedTargets {
  /** User ids, each once, in the order of the targets. */
  readonly users: readonly string[]
  /** Names of webhook endpoints, each once. */
  readonly webhooks: readonly string[]
  /** Names of configured MQTT topics, each once. */
  readonly topics: readonly string[]
  /** Targets that stand for nobody right now: a gap in the schedule, an unknown name, an empty group. */
  readonly unresolved: readonly string[]
  /** Those of `users` whom no channel reaches; absent for none. */
  readonly unreachable?: readonly string[]
  /** Whose turn it is at each round-robin target among these; absent for none. */
  readonly turns?: Readonly<Record<string, string>>
}

/**
 * The world as an alert sees it at a fixed moment. Looks targets up, `resolveTargets` bound to the alert's team and
 * tenant; with `channels`, people whom none of these reaches are unreachable. Total: never throws.
 */
export interface WhoIs {
  (targets: readonly string[], channels?: readonly ChannelName[]): ResolvedTargets
  /** When the latest alerts of the team opened, this one included; absent where no step asks (behaviour O5). */
  readonly openings?: readonly number[]
}

export interface TargetContext {
  readonly tenant: TenantId
  /** The owning team as it is now; null when the type has no owner or the team is gone. */
  readonly team: Team | null
  readonly directory: Pick<Directory, 'user' | 'group' | 'admins' | 'team' | 'teams'>
  readonly at: number
  /** Who was last at a round-robin target; absent: nobody ever was. */
  readonly lastAt?: (target: string) => string | undefined
  /** Whose turn it was in this alert, which stays so. */
  readonly turns?: Readonly<Record<string, string>>
  /** Whether any channel of the person, or of these only, could take a page; absent: every person is reached. */
  readonly canReach?: (person: Person, channels: readonly ChannelName[] | undefined) => boolean
}

const ROUND_ROBIN = 'round_robin:'
const ROUND_ROBIN_ONCALL = 'oncall.round_robin'

/**
 * Turns targets into people, webhooks and topics: `oncall`, `oncall.next`, `oncall.round_robin`, `team`, `admins`,
 * `catch_all`, `user:{id}`, `group:{name}`, `round_robin:{group or team}`, `webhook:{name}`, `mqtt:{name}`. Of a
 * round-robin target it is one person, the one after the last (behaviour O3). People who have left the directory, or
 * belong to another tenant, are nobody (behaviours E7, O1).
 */
export function resolveTargets(
  targets: readonly string[],
  context: TargetContext,
  channels?: readonly ChannelName[],
): ResolvedTargets {
  const users = new Set<string>()
  const webhooks = new Set<string>()
  const topics = new Set<string>()
  const unresolved: string[] = []
  const turns = new Map<string, string>()
  for (const target of targets) {
    if (target.startsWith('webhook:')) {
      webhooks.add(target.slice('webhook:'.length))
      continue
    }
    if (target.startsWith('mqtt:')) {
      topics.add(target.slice('mqtt:'.length))
      continue
    }
    const everybody = peopleBehind(target, context).filter((id) => isHere(id, context))
    const found = isRoundRobin(target) ? inTurn(target, everybody, context) : everybody
    if (found.length === 0) unresolved.push(target)
    for (const id of found) {
      users.add(id)
      if (isRoundRobin(target)) turns.set(target, id)
    }
  }
  const { canReach, directory } = context
  const unreachable = [...users].filter((id) => {
    const person = directory.user(id)
    return person && canReach && !canReach(person, channels)
  })
  return {
    users: [...users],
    webhooks: [...webhooks],
    topics: [...topics],
    unresolved,
    ...(unreachable.length > 0 && { unreachable }),
    ...(turns.size > 0 && { turns: Object.fromEntries(turns) }),
  }
}

/** Whether the target stands for one of several people in turn. */
export function isRoundRobin(target: string): boolean {
  return target === ROUND_ROBIN_ONCALL || target.startsWith(ROUND_ROBIN)
}

/** The one whose turn it is; as long as they are there the same for all of an alert. */
function inTurn(
  target: string,
  people: readonly string[],
  { turns, lastAt }: TargetContext,
): readonly string[] {
  const own = turns !== undefined && Object.hasOwn(turns, target) ? turns[target] : undefined
  if (own !== undefined && people.includes(own)) return [own]
  const last = lastAt?.(target)
  const next = people[(last === undefined ? 0 : people.indexOf(last) + 1) % people.length]
  return next === undefined ? [] : [next]
}

function peopleBehind(target: string, context: TargetContext): readonly string[] {
  const { tenant, team, directory, at } = context
  const schedule = team?.schedule
  switch (target) {
    case 'oncall':
      return schedule ? onCall(schedule, at) : []
    case 'oncall.next':
      return schedule ? present(nextOnCall(schedule, at)) : []
    case 'team':
      return team?.members ?? []
    case 'admins':
      return directory.admins(tenant).map((person) => person.id)
    case 'catch_all':
      return directory.teams(tenant).find(({ alertTypes }) => alertTypes.includes('*'))?.members ?? []
    case ROUND_ROBIN_ONCALL:
      return [...new Set(schedule?.layers.flatMap(({ rotate }) => rotate))]
    default:
      if (target.startsWith(ROUND_ROBIN)) {
        const name = target.slice(ROUND_ROBIN.length)
        const group = directory.group(tenant, name)?.map((person) => person.id)
        return group ?? directory.team(tenant, name)?.members ?? []
      }
      if (target.startsWith('user:')) return [target.slice('user:'.length)]
      if (target.startsWith('group:')) {
        return (directory.group(tenant, target.slice('group:'.length)) ?? []).map((person) => person.id)
      }
      return []
  }
}

function present(user: string | null): readonly string[] {
  return user === null ? [] : [user]
}

function isHere(id: string, { directory, tenant }: TargetContext): boolean {
  return directory.user(id)?.tenant === tenant
}
