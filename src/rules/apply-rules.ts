import { CARILLON } from '../alert/escalation/start.ts'
import { DEFAULT_RATE_LIMIT, type Principal, type TenantId } from '../access/principal.ts'
import type { Core } from '../core.ts'
import { Fault, fault } from '../errors.ts'
import { carryOut } from '../notification/carry-out.ts'
import type { Decision } from '../notification/decision.ts'
import type { Arrival } from '../router/arrival.ts'
import { keepDeadLetter } from '../router/dead-letter.ts'
import type { Outcome } from '../router/publish.ts'
import type { Rule, RuleFacts } from './rule.ts'
import { rulePayload } from './rule-payload.ts'
import type { Hit } from './rule-index.ts'

/** What one rule made of a message, for the publisher. */
export type RuleResult = { readonly rule: string } & Readonly<Record<string, unknown>>

/** What is to be done in the name of one rule. */
export interface Task {
  readonly rule: string
  readonly decisions: readonly Decision[]
  /** After the decisions are stored, and before the message counts as accepted. */
  readonly afterwards?: () => Promise<void>
}

/**
 * Lets every rule that looks at this topic look at the message. Resolves when all that came of it is stored, so that an
 * acknowledgement that follows means so (promise P1). Each thing that a rule does is a commit of its own under a key
 * made of message and rule: when the program dies between two of them, the resend does only what is missing (P3). A
 * rule that fails is a dead letter that names it, and no other rule notices. Rejects when the store takes nothing.
 */
export async function applyRules(
  core: Core,
  arrival: Arrival,
  hits: readonly Hit<Rule>[],
  taskOf: (hit: Hit<Rule>, facts: RuleFacts) => Task | null,
): Promise<readonly RuleResult[]> {
  const names = hits.map(({ entry }) => entry.id).join(', ')
  let payload: unknown
  try {
    payload = rulePayload(arrival.publish.payload)
  } catch (error) {
    const letter = await failed(core, arrivalFor(arrival, names, 'payload'), names, error)
    return hits.map(({ entry }) => ({ ...letter, rule: entry.id }))
  }
  const line = new Line(hits.length, arrival.submitted)
  const settled = await Promise.allSettled(
    hits.map((hit) => applyOne({ core, arrival, hit, payload, leave: line.leaver() }, taskOf)),
  )
  const results: RuleResult[] = []
  for (const one of settled) {
    // Nothing was stored for this one: the publish is not accepted, and its resend finds the others done.
    if (one.status === 'rejected') throw one.reason
    results.push(...one.value)
  }
  return results
}

interface Application {
  readonly core: Core
  readonly arrival: Arrival
  readonly hit: Hit<Rule>
  readonly payload: unknown
  readonly leave: () => void
}

async function applyOne(
  { core, arrival, hit, payload, leave }: Application,
  taskOf: (hit: Hit<Rule>, facts: RuleFacts) => Task | null,
): Promise<readonly RuleResult[]> {
  const { publish } = arrival
  const rule = hit.entry.id
  try {
    const task = taskOf(hit, {
      params: hit.params,
      topic: publish.topic,
      event: eventOf(publish.topic),
      payload,
      will: publish.will ?? false,
    })
    if (task === null) return []
    const line = new Line(task.decisions.length, leave)
    const results = await Promise.all(
      task.decisions.map((decision) => {
        const own = { ...arrivalFor(arrival, rule, decision.kind), submitted: line.leaver() }
        return carryOut(core, own, decision).then(
          (outcome) => resultOf(core, rule, outcome),
          (error: unknown) => failed(core, own, rule, error),
        )
      }),
    )
    await task.afterwards?.()
    return results
  } catch (error) {
    return [await failed(core, { ...arrivalFor(arrival, rule, 'rule'), submitted: leave }, rule, error)]
  } finally {
    leave()
  }
}

/** The type of the event that a topic below `events/` stands for (X18). */
export function eventOf(topic: string): string | null {
  return topic.startsWith('events/') ? topic.slice('events/'.length).replaceAll('/', '.') : null
}

/** The message once more, as the cause of one thing: under a key of its own, which a resend of it meets again. */
function arrivalFor(arrival: Arrival, rule: string, kind: string): Arrival {
  const { publish, messageId } = arrival
  const own = `rule:${rule}:${kind}`
  return {
    ...arrival,
    publish: {
      ...publish,
      fingerprint: publish.fingerprint === null ? null : `${own}:${publish.fingerprint}`,
    },
    onceKey: `${own}:${publish.topic}:${messageId}`,
  }
}

function resultOf(core: Core, rule: string, outcome: Outcome): RuleResult {
  core.metrics.rules.inc({ rule, outcome: outcome.kind })
  return outcome.kind === 'stored' ? { rule, ...outcome.result } : { rule, status: outcome.kind }
}

/** Rejects with what is no fault of the rule, such as a full store. */
async function failed(core: Core, arrival: Arrival, rule: string, error: unknown): Promise<RuleResult> {
  if (error instanceof Fault && error.entry.mqtt !== 'dead') throw error
  if (!(error instanceof Fault)) core.log.error({ err: error, rule }, 'a rule failed unexpectedly')
  const reason = error instanceof Fault ? error : fault('publish.rule_failed')
  const said = reason.message.startsWith('Rule ') ? reason.message : `Rule ${rule}: ${reason.message}`
  core.metrics.rules.inc({ rule, outcome: 'dead' })
  const letter = await keepDeadLetter(core, arrival, fault(reason.code, said))
  return {
    rule,
    status: 'dead',
    code: reason.code,
    error: said,
    ...(letter.kind === 'dead' && { dead_letter_id: letter.id }),
  }
}

/** Says when the last of a number has left; at once when there is none. */
class Line {
  private left: number
  private readonly done: () => void

  constructor(count: number, done: () => void) {
    this.left = count
    this.done = done
    if (count === 0) done()
  }

  /** To be called once or more often; counts once. */
  leaver(): () => void {
    let gone = false
    return () => {
      if (gone) return
      gone = true
      if (--this.left === 0) this.done()
    }
  }
}

/** The program itself, in the name of a tenant; may nothing at the door. */
export function engineItself(tenant: TenantId): Principal {
  return {
    kind: 'client',
    id: CARILLON,
    tenant,
    roles: [],
    publish: [],
    subscribe: [],
    rateLimit: DEFAULT_RATE_LIMIT,
  }
}
