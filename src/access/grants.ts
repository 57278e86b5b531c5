import { isOperator, type Principal, type TenantId } from './principal.ts'
import {
  filterCovers,
  isReserved,
  literalLevel,
  matchFilter,
  validFilter,
  validTopic,
} from './topic-filter.ts'

/**
 * Who may say and hear what, deny by default (contract section 3, decision 7). All three are pure and cheap enough
 * to be asked for every message.
 */

export const ALERT_VERBS = ['ack', 'escalate', 'snooze', 'resolve', 'note', 'unack', 'reassign'] as const
export type AlertVerb = (typeof ALERT_VERBS)[number]

const LEVELS = new Set(['critical', 'warning', 'info'])
const VERBS: ReadonlySet<string> = new Set(ALERT_VERBS)

/** What the engine alone says: a publish there by anybody else would be a forgery. */
const ENGINE_TOPICS = ['state/#', 'receipts/#', 'dlq/#']

/** What an operator's console publishes to. */
const CONSOLE_PUBLISHES = ['notifications/#', 'alerts/#', 'events/#']

/** What an operator's console listens to; inboxes of others are private even from administrators. */
const CONSOLE_HEARS = ['state/#', 'dlq/#', 'events/#']

const PRESENCE = new Set(['connect', 'disconnect', 'heartbeat'])

/**
 * Whether the principal may publish to this topic. Whether a person may act on a certain alert is decided later, by
 * whom that alert concerns; here only machines are held to a grant that spells the verb.
 */
export function mayPublish(principal: Principal, topic: string): boolean {
  if (!validTopic(topic) || isReserved(topic)) return false
  if (ENGINE_TOPICS.some((filter) => matchFilter(filter, topic))) return false
  const verb = alertVerb(topic)
  if (verb !== null) {
    if (principal.kind === 'user' || isOperator(principal)) return true
    return principal.publish.some((grant) => spells(grant, verb) && matchFilter(grant, topic))
  }
  if (principal.publish.some((grant) => grantsPublish(grant, topic))) return true
  if (principal.kind === 'client') return false
  return isOwnCommand(principal.id, topic) || (isOperator(principal) && matchesAny(CONSOLE_PUBLISHES, topic))
}

/** Whether the principal may subscribe to this filter: all that it can match must be theirs. */
export function maySubscribe(principal: Principal, filter: string): boolean {
  if (!validFilter(filter) || isReserved(filter)) return false
  if (principal.id !== '' && literalLevel(principal.id)) {
    if (filterCovers(`receipts/${principal.id}/#`, filter)) return true
    if (principal.kind === 'user' && filterCovers(`users/${principal.id}/#`, filter)) return true
  }
  const first = filter.slice(0, levelEnd(filter))
  if (first === 'receipts') return false
  if (first === 'dlq') return isOperator(principal)
  if (first === 'users' && principal.kind === 'user') return false
  if (principal.kind === 'user') {
    if (filterCovers('state/#', filter)) return true
    if (isOperator(principal) && CONSOLE_HEARS.some((grant) => filterCovers(grant, filter))) return true
  }
  return principal.subscribe.some((grant) => filterCovers(grant, filter))
}

/**
 * Whether a message on this topic may reach the principal, whatever it has subscribed to. Narrower than the grants:
 * receipts go to their owner only, dead letters and the look ahead to operators, a person's topics to no other person.
 * Topics carry no tenant, so whoever knows a message's tenant names it.
 */
export function mayForward(principal: Principal, topic: string, tenant?: TenantId): boolean {
  if (tenant !== undefined && tenant !== principal.tenant) return false
  if (isReserved(topic)) return false
  const end = levelEnd(topic)
  const first = topic.slice(0, end)
  if (first === 'receipts') return ownsSecondLevel(principal, topic, end)
  if (first === 'dlq' || topic === 'state/preflight') return isOperator(principal)
  if (principal.kind === 'user') {
    if (first === 'users') return ownsSecondLevel(principal, topic, end)
    if (first === 'state') return true
    if (isOperator(principal) && matchesAny(CONSOLE_HEARS, topic)) return true
  }
  return principal.subscribe.some((grant) => matchFilter(grant, topic))
}

/**
 * The verb of a command to an alert, `alerts/{id}/{verb}` with or without the prefix `notifications/`, or null.
 * Below a level it is an alert type instead: `alerts/critical/ack` reports an alert of type `ack`.
 */
export function alertVerb(topic: string): AlertVerb | null {
  // Asked of every publish, and few are about alerts.
  if (!topic.startsWith('alerts/') && !topic.startsWith('notifications/alerts/')) return null
  const levels = topic.split('/', 5)
  if (levels[0] === 'notifications') levels.shift()
  const [root, second, verb] = levels
  if (levels.length !== 3 || root !== 'alerts' || second === undefined || verb === undefined) return null
  return VERBS.has(verb) && !LEVELS.has(second) ? (verb as AlertVerb) : null
}

/** A grant to publish with a leading wildcard means every name, also one that begins with `$`; only subscriptions tell them apart [MQTT-4.7.2-1]. */
function grantsPublish(grant: string, topic: string): boolean {
  return (
    matchFilter(grant, topic) ||
    (topic.startsWith('$') && matchFilter(grant, topic.slice(1)) && /^[#+]/.test(grant))
  )
}

/** Whether the grant names the verb itself: a machine that may report may not therefore silence. */
function spells(grant: string, verb: AlertVerb): boolean {
  return grant.endsWith(`/${verb}`)
}

function isOwnCommand(id: string, topic: string): boolean {
  if (!literalLevel(id)) return false
  const levels = topic.split('/', 4)
  if (levels[0] === 'websocket')
    return levels.length === 3 && PRESENCE.has(levels[1] ?? '') && levels[2] === id
  return topic.startsWith(`users/${id}/notifications/`)
}

function ownsSecondLevel(principal: Principal, topic: string, firstEnd: number): boolean {
  if (!literalLevel(principal.id)) return false
  return topic.startsWith(`${principal.id}/`, firstEnd + 1) || topic.slice(firstEnd + 1) === principal.id
}

function matchesAny(filters: readonly string[], topic: string): boolean {
  return filters.some((filter) => matchFilter(filter, topic))
}

function levelEnd(text: string): number {
  const end = text.indexOf('/')
  return end === -1 ? text.length : end
}
