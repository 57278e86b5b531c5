import type { Counter } from 'prom-client'
import type { Principal } from '../access/principal.ts'
import type { Core } from '../core.ts'
import { OWN_PREFIXES } from '../core.ts'
import { ERRORS, Fault, fault } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import { carryOut } from '../notification/carry-out.ts'
import { MESSAGE_ID, PAYLOAD_LIMIT, type Arrival } from './arrival.ts'
import { runRoute } from './compose.ts'
import type { Context } from './context.ts'
import { keepDeadLetter } from './dead-letter.ts'
import { parsePayload } from './parse-payload.ts'
import type { Outcome, Publish } from './publish.ts'
import type { Route, Router } from './router.ts'
import type { Match } from './topic-trie.ts'

/** A handler that throws is tried this often before its publish becomes a dead letter (promise P10). */
const HANDLER_TRIES = 3

export type Receive = (publish: Publish, submitted?: () => void) => Promise<Outcome>

/**
 * The one door (contract section 4): access → route → middleware → controller → one commit. The promise resolves
 * after the commit, so an acknowledgement that follows it means "stored" (promise P1); it never rejects.
 */
export function createReceive(
  core: Core,
  router: Router,
  mayPublish: (principal: Principal, topic: string) => boolean,
): Receive {
  const count = countOutcomes(core.metrics)
  return async (publish, submitted = () => {}) => {
    let open = true
    const once = () => {
      if (open) submitted()
      open = false
    }
    try {
      const outcome = await enter(core, router, mayPublish, publish, once)
      count(outcome.kind)
      return outcome
    } catch (error) {
      const refused = failed(core, publish, error)
      count(refused.kind)
      return refused
    } finally {
      once()
    }
  }
}

/** Finding the counter of a label by its name costs a microsecond, so each is found once. */
function countOutcomes({ publishes }: Metrics): (outcome: Outcome['kind']) => void {
  const counters = new Map<Outcome['kind'], Counter.Internal>()
  return (outcome) => {
    let counter = counters.get(outcome)
    if (!counter) counters.set(outcome, (counter = publishes.labels(outcome)))
    counter.inc()
  }
}

/** Not an async function, and neither is what it ends in: each would cost the hot path a promise more. */
function enter(
  core: Core,
  router: Router,
  mayPublish: (principal: Principal, topic: string) => boolean,
  publish: Publish,
  submitted: () => void,
): Promise<Outcome> {
  const { principal, topic } = publish
  if (!mayPublish(principal, topic)) throw fault('publish.forbidden')
  const match = router.match(topic)
  const ownTopic = match !== null || isOwnTopic(topic)
  const hits = core.rules.match(principal.tenant, topic)
  if (!ownTopic)
    return hits.length === 0 ? Promise.resolve({ kind: 'plain' }) : enterPlain(core, publish, submitted, hits)
  if (hits.length === 0) return enterOwn(core, router, { publish, match, submitted })
  return enterRuled(core, router, { publish, match, submitted }, hits)
}

interface Entry {
  readonly publish: Publish
  readonly match: Match<Route> | null
  readonly submitted: () => void
}

/** A plain topic that rules look at: what they make of it is stored before it is forwarded and acknowledged. */
async function enterPlain(core: Core, publish: Publish, submitted: () => void, hits: Hits): Promise<Outcome> {
  const now = core.clock.now()
  const { idempotencyKey: key, principal, topic } = publish
  // An `id` in such a payload may be that of the device, which every message of it has.
  const named = key !== undefined && MESSAGE_ID.test(key)
  const messageId = named ? key : core.ids.next(now)
  const rules = await core.rules.apply({ publish, messageId, named, now, submitted }, hits)
  if (rules.length === 0) return { kind: 'plain' }
  core.receipts.accepted({ principal: principal.id, messageId, topic }, { status: 'forwarded', rules })
  return { kind: 'plain', rules }
}

/** One of our own topics that rules look at as well, once its route has taken it. */
async function enterRuled(core: Core, router: Router, entry: Entry, hits: Hits): Promise<Outcome> {
  let arrival: Arrival | null = null
  // A later publish must not overtake what the rules make of this one.
  const held = { ...entry, submitted: () => {} }
  const outcome = await enterOwn(core, router, held, (own) => void (arrival = own))
  if (outcome.kind !== 'stored' || arrival === null) return outcome
  const { submitted } = entry
  const rules = await core.rules.apply({ ...(arrival as Arrival), submitted }, hits)
  return rules.length === 0 ? outcome : { ...outcome, result: { ...outcome.result, rules } }
}

function enterOwn(
  core: Core,
  router: Router,
  { publish, match, submitted }: Entry,
  arrived: (arrival: Arrival) => void = () => {},
): Promise<Outcome> {
  const { topic, payload } = publish
  const now = core.clock.now()
  const unnamed: Arrival = { publish, messageId: core.ids.next(now), named: false, now, submitted }
  const parsed = payload.length > PAYLOAD_LIMIT ? null : parsePayload(payload, match?.route.keys)
  const name = publish.idempotencyKey ?? (parsed?.ok ? idIn(parsed.value) : undefined)
  // Also what is refused keeps its own name: its publisher listens there.
  const arrival =
    name !== undefined && MESSAGE_ID.test(name) ? { ...unnamed, messageId: name, named: true } : unnamed
  arrived(arrival)
  const refuse = (reason: Fault) => handle(core, router.unroutable(reason), arrival, {})
  if (parsed === null) return refuse(fault('publish.too_large'))
  if (match === null) return refuse(fault('publish.no_route'))
  if (!parsed.ok) return refuse(fault(parsed.code))
  if (match.route.foreign) {
    return handle(
      core,
      match,
      arrival.named ? { ...arrival, onceKey: `id:${topic}:${name}` } : arrival,
      parsed.value,
    )
  }
  if (name !== undefined && !arrival.named) {
    return refuse(fault('publish.invalid_body', 'id takes 1 to 128 of A-Z a-z 0-9 . _ : -', { field: 'id' }))
  }
  return handle(core, match, arrival, parsed.value)
}

type Hits = ReturnType<Core['rules']['match']>
type Taken = Match<Pick<Route, 'pattern' | 'run'>>

async function handle(core: Core, match: Taken, arrival: Arrival, body: unknown): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      const context = contextOf(core, match, arrival, body)
      const decision = await runRoute(match, context)
      return await carryOut(core, arrival, decision)
    } catch (error) {
      if (error instanceof Fault) {
        if (error.entry.mqtt === 'dead') return keepDeadLetter(core, arrival, error)
        throw error
      }
      core.log.error({ err: error, topic: arrival.publish.topic, attempt }, 'the handler of a publish failed')
      if (attempt === HANDLER_TRIES) {
        const what = error instanceof Error ? error.message : String(error)
        return keepDeadLetter(
          core,
          arrival,
          fault('publish.handler_failed', `${ERRORS['publish.handler_failed'].what}: ${what}`),
        )
      }
    }
  }
}

/** What the handlers of a route get to see of a publish. */
export function contextOf(core: Core, match: Taken, arrival: Arrival, body: unknown): Context {
  const { publish } = arrival
  return {
    publish,
    topic: publish.topic,
    pattern: match.route.pattern,
    params: match.params,
    body,
    principal: publish.principal,
    qos: publish.qos,
    correlationId: publish.correlationId,
    messageId: arrival.messageId,
    now: arrival.now,
    clock: core.clock,
    directory: core.directory(),
    filter: core.config().filter,
    log: core.log,
    metrics: core.metrics,
    rates: core.rates,
    tell: (id, payload) => core.receipts.tell(publish.principal.id, id, payload),
  }
}

function failed(core: Core, publish: Publish, error: unknown): Outcome {
  const known = error instanceof Fault ? error : fault('server.internal')
  if (known.code === 'server.internal')
    core.log.error(
      { err: error, topic: publish.topic, correlation_id: publish.correlationId },
      'a publish failed',
    )
  core.metrics.refusals.inc({ reason: known.code })
  return {
    kind: 'refused',
    code: known.code,
    message: known.message,
    ...(known.details && { details: known.details }),
    ...(known.retryAfterMs !== undefined && { retryAfterMs: known.retryAfterMs }),
  }
}

function isOwnTopic(topic: string): boolean {
  const end = topic.indexOf('/')
  const first = end === -1 ? topic : topic.slice(0, end)
  return (OWN_PREFIXES as readonly string[]).includes(first)
}

function idIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('id' in body)) return undefined
  const { id } = body
  return typeof id === 'string' ? id : typeof id === 'number' ? String(id) : undefined
}
