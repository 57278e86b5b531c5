import type { AlertLevel } from '../alert/alert.ts'
import type { Config } from '../config/schema/schema.ts'
import { durationMs } from '../duration.ts'
import { fault } from '../errors.ts'
import type { AlertDecision, Decision, Draft, NotifyDecision } from '../notification/decision.ts'
import { compileTemplate, formatTemplateFault, type Template } from '../template/template.ts'
import { compileExpression, type Expression, type Facts } from './expression.ts'

export type RuleSettings = Config['rules'][number]

/** A rule of the configuration, made ready. */
export interface Rule {
  readonly id: string
  readonly tenant: string
  readonly settings: RuleSettings
  /** What becomes of a message: nothing, or up to two decisions. Throws `publish.rule_failed` for a fault of its own. */
  decide(facts: RuleFacts): readonly Decision[]
  /** The alert about a topic that is silent, and its end. */
  alertOf(facts: RuleFacts, status: AlertDecision['status']): AlertDecision | null
  /** Of a rule with `expect`. */
  readonly expectation: Expectation | null
}

export interface Expectation {
  readonly pattern: string
  /** How long after a message silence is an alarm: `every` and `grace`. */
  readonly periodMs: number
  excused(facts: RuleFacts): boolean
}

/** What conditions and templates see: the parameters of the pattern, and these. */
export interface RuleFacts {
  readonly params: Readonly<Record<string, string>>
  readonly topic: string
  readonly event: string | null
  readonly payload: unknown
  /** Published for a connection that was lost (MQTT 3.1.1 section 3.1.2.5). */
  readonly will: boolean
}

/** Names that every rule sees beside its parameters. */
export const FACT_NAMES = ['payload', 'data', 'topic', 'event', 'params', 'will'] as const

/** Makes a rule ready. For settings that the configuration's check has let through; throws an `Error` for others. */
export function compileRule(settings: RuleSettings): Rule {
  const { id, tenant, alert, notify } = settings
  const when = conditionOf(settings.when)
  const resolveWhen = conditionOf(settings.resolve_when)
  const unless = conditionOf(settings.unless)
  const alertOf = alert === undefined ? () => null : alertMaker(id, alert)
  const notifyOf = notify === undefined ? () => null : notifyMaker(id, notify)
  return {
    id,
    tenant,
    settings,
    alertOf,
    decide(facts) {
      const seen = seenBy(facts)
      const status = statusOf(seen, when, resolveWhen)
      if (status === null) return []
      const decisions = [alertOf(facts, status), status === 'firing' ? notifyOf(facts) : null]
      return decisions.filter((decision) => decision !== null)
    },
    expectation:
      settings.expect === undefined || settings.every === undefined
        ? null
        : {
            pattern: settings.expect,
            periodMs: durationMs(settings.every) + durationMs(settings.grace),
            excused: (facts) => unless !== null && unless.holds(seenBy(facts)),
          },
  }
}

/** An alarm wins over its end where a message meets both conditions; without a `when` only what ends it is asked. */
function statusOf(
  facts: Facts,
  when: Expression | null,
  resolveWhen: Expression | null,
): AlertDecision['status'] | null {
  if (when?.holds(facts)) return 'firing'
  if (resolveWhen?.holds(facts)) return 'resolved'
  return when === null ? 'firing' : null
}

function seenBy({ params, topic, event, payload, will }: RuleFacts): Facts {
  return { ...params, payload, data: payload, topic, event, params, will }
}

function conditionOf(source: string | undefined): Expression | null {
  if (source === undefined) return null
  const compilation = compileExpression(source)
  if (!compilation.ok) throw new Error(compilation.fault.message)
  return compilation.expression
}

type Fill = (facts: Facts) => string

function fillOf(id: string, field: string, source: string): Fill {
  if (!source.includes('{')) return () => source
  const compilation = compileTemplate(source, 'text')
  if (!compilation.ok) throw new Error(formatTemplateFault(compilation.fault))
  return (facts) => rendered(id, field, compilation.template, facts)
}

function rendered(id: string, field: string, template: Template, facts: Facts): string {
  const rendering = template.render(facts)
  if (rendering.ok) return rendering.text
  throw fault('publish.rule_failed', `Rule ${id}: ${field}: ${formatTemplateFault(rendering.fault)}`)
}

type Fields<Name extends string> = Readonly<Partial<Record<Name, Fill>>>

function fillsOf<Name extends string>(
  id: string,
  from: Readonly<Partial<Record<Name, unknown>>>,
  names: readonly Name[],
): Fields<Name> {
  const fields: Partial<Record<Name, Fill>> = {}
  for (const name of names) {
    const source = from[name]
    if (typeof source === 'string') fields[name] = fillOf(id, name, source)
  }
  return fields
}

type DataFill = (facts: Facts) => Readonly<Record<string, unknown>>

function dataOf(id: string, data: Readonly<Record<string, unknown>> = {}): DataFill {
  const fills = Object.entries(data).map(([name, value]): readonly [string, (facts: Facts) => unknown] => [
    name,
    typeof value === 'string' ? fillOf(id, `data.${name}`, value) : () => value,
  ])
  return (facts) => Object.fromEntries(fills.map(([name, fill]) => [name, fill(facts)]))
}

/** Checklist X33, and what one level of a topic may hold. */
const LONGEST_MESSAGE = 65_536
const LONGEST_NAME = 255
/** Longer than any topic. */
const LONGEST_KEY = 4096

function alertMaker(id: string, alert: NonNullable<RuleSettings['alert']>) {
  const fields = fillsOf(id, alert, ['type', 'message', 'dedup_key', 'source'])
  const data = dataOf(id, alert.data)
  const level: AlertLevel = alert.severity
  return (from: RuleFacts, status: AlertDecision['status']): AlertDecision => {
    const facts = seenBy(from)
    const alertType = fields.type?.(facts) ?? ''
    const message = (fields.message?.(facts) ?? '').slice(0, LONGEST_MESSAGE)
    if (!/^[^/+#\p{Cc}]{1,255}$/u.test(alertType))
      throw fault('publish.rule_failed', `Rule ${id}: the type of the alert came out as no type`)
    if (message.trim() === '' && status === 'firing')
      throw fault('publish.rule_failed', `Rule ${id}: the message came out empty`)
    return {
      kind: 'alert',
      level,
      alertType,
      status,
      message,
      source: (fields.source?.(facts) || from.topic).slice(0, LONGEST_NAME),
      affectedSystems: [],
      dedupKey: (fields.dedup_key?.(facts) || `${id}:${from.topic}`).slice(0, LONGEST_KEY),
      data: { ...from.params, rule: id, topic: from.topic, ...(from.will && { will: true }), ...data(facts) },
    }
  }
}

function notifyMaker(id: string, notify: NonNullable<RuleSettings['notify']>) {
  const to = fillsOf(id, notify, ['user', 'group'])
  const fields = fillsOf(id, notify, [
    'title',
    'message',
    'type',
    'category',
    'event',
    'action_url',
    'customer_id',
  ])
  const data = dataOf(id, notify.data)
  const { priority, severity, broadcast } = notify
  return (from: RuleFacts): NotifyDecision => {
    const facts = seenBy(from)
    const text = (fill: Fill | undefined, most: number) => fill?.(facts).slice(0, most) || undefined
    const message = text(fields.message, LONGEST_MESSAGE)
    if (message === undefined) throw fault('publish.rule_failed', `Rule ${id}: the message came out empty`)
    const draft: Draft = {
      message,
      title: text(fields.title, LONGEST_NAME),
      type: text(fields.type, 50),
      category: text(fields.category, 30),
      event: text(fields.event, 100) ?? from.event ?? undefined,
      actionUrl: text(fields.action_url, 500),
      customerId: text(fields.customer_id, 64),
      priority,
      severity,
      data: { ...from.params, rule: id, topic: from.topic, ...data(facts) },
    }
    return { kind: 'notify', to: addressee(facts, to, broadcast), draft }
  }
}

function addressee(
  facts: Facts,
  to: Fields<'user' | 'group'>,
  broadcast: readonly string[] | undefined,
): NotifyDecision['to'] {
  if (to.user) return { user: to.user(facts) }
  if (to.group) return { group: to.group(facts) }
  return { broadcast: broadcast ?? [] }
}
