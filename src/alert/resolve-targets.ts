import type { TenantId } from '../access/principal.ts'
import type { Directory, Team } from '../directory/directory.ts'
import { nextOnCall, onCall } from '../oncall/shifts.ts'

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
}

/** Looks targets up at a fixed moment; `resolveTargets` bound to an alert's team and tenant. Total: never throws. */
export type WhoIs = (targets: readonly string[]) => ResolvedTargets

export interface TargetContext {
  readonly tenant: TenantId
  /** The owning team as it is now; null when the type has no owner or the team is gone. */
  readonly team: Team | null
  readonly directory: Pick<Directory, 'user' | 'group' | 'admins'>
  readonly at: number
}

/**
 * Turns targets into people, webhooks and topics: `oncall`, `oncall.next`, `team`, `admins`, `user:{id}`,
 * `group:{name}`, `webhook:{name}`, `mqtt:{name}`. People who have left the directory, or belong to another tenant, are nobody (behaviours E7, O1).
 */
export function resolveTargets(targets: readonly string[], context: TargetContext): ResolvedTargets {
  const users = new Set<string>()
  const webhooks = new Set<string>()
  const topics = new Set<string>()
  const unresolved: string[] = []
  for (const target of targets) {
    if (target.startsWith('webhook:')) {
      webhooks.add(target.slice('webhook:'.length))
      continue
    }
    if (target.startsWith('mqtt:')) {
      topics.add(target.slice('mqtt:'.length))
      continue
    }
    const found = peopleBehind(target, context).filter((id) => isHere(id, context))
    if (found.length === 0) unresolved.push(target)
    for (const id of found) users.add(id)
  }
  return { users: [...users], webhooks: [...webhooks], topics: [...topics], unresolved }
}

function peopleBehind(target: string, { tenant, team, directory, at }: TargetContext): readonly string[] {
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
    default:
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
