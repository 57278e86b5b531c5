import type { Alert } from '../alert/alert.ts'
import type { Config } from '../config/schema/schema.ts'
import type { Core } from '../core.ts'
import { fitsPattern } from '../directory/alert-type.ts'
import type { Arrival } from '../router/arrival.ts'
import { applyRules, eventOf, type RuleResult } from './apply-rules.ts'
import { Expectations, INSTANCE, type ExpectedTopic } from './expectations.ts'
import { compileRule, type Rule, type RuleSettings } from './rule.ts'
import { RuleIndex, type Hit } from './rule-index.ts'

/** What payloads that were not made for this program become, and when silence is an alarm (contract section 8). */
export interface Rules {
  /** The rules that look at this topic, in the order of the configuration. Next to nothing where there is none. */
  match(tenant: string, topic: string): readonly Hit<Rule>[]
  /** Lets them look at the message; see applyRules. The results are told to the publisher by the caller. */
  apply(arrival: Arrival, hits: readonly Hit<Rule>[]): Promise<readonly RuleResult[]>
  /** Puts the rules of a configuration in force. Topics that are expected stay so where their rule does. */
  configure(config: Pick<Config, 'rules' | 'heartbeats'>, open: Iterable<Alert>): void
  /** The program can be heard from now on: silence counts. */
  start(): void
  /** Everything that is expected in a tenant, in the order of the configuration. */
  expected(tenant: string): readonly ExpectedTopic[]
  /** Nothing falls due any more. */
  close(): void
}

/** The topic under which a job reports. */
export function heartbeatTopic(name: string): string {
  return `heartbeats/${name}`
}

/** No rules before the first `configure`. */
export function createRules(core: () => Core): Rules {
  let topics = new RuleIndex<Rule>()
  let events: readonly { readonly rule: Rule; readonly pattern: string }[] = []
  let positions = new Map<Rule, number>()
  let expectations = new Map<Rule, Expectations>()
  let quiet: Core | null = null
  let started = false
  let listening = false
  const of = (rule: unknown) => [...expectations].find(([{ id }]) => id === rule)?.[1]
  /** Where there are other nodes: what they hear, and what they store of it. */
  const listen = () => {
    const { others, registry } = core()
    listening = true
    others?.hear('heard', ({ rule, topic, at, excused }) =>
      of(rule)?.heardElsewhere(String(topic), Number(at), excused === true),
    )
    if (others)
      registry.watch(INSTANCE, (now) => {
        if (now) of(now.owner)?.stored(now.key, now.doc)
      })
  }

  return {
    match(tenant, topic) {
      const hits = topics.match(topic)
      const event = events.length === 0 ? null : eventOf(topic)
      if (hits.length === 0 && event === null) return hits
      const named =
        event === null
          ? []
          : events
              .filter(({ pattern }) => fitsPattern(event, pattern))
              .map(({ rule }) => ({ entry: rule, params: {} }))
      return [...hits, ...named]
        .filter(({ entry }) => entry.tenant === tenant)
        .toSorted((a, b) => (positions.get(a.entry) ?? 0) - (positions.get(b.entry) ?? 0))
    },
    apply(arrival, hits) {
      quiet ??= withoutReceipts(core())
      return applyRules(quiet, arrival, hits, ({ entry: rule }, facts) => {
        const expected = expectations.get(rule)
        if (expected) return expected.heard(facts)
        const decisions = rule.decide(facts)
        return decisions.length === 0 ? null : { rule: rule.id, decisions }
      })
    },
    configure(config, open) {
      if (!listening) listen()
      const rules = [...config.rules, ...heartbeatRules(config.heartbeats)].map(compileRule)
      const before = new Map([...expectations].map(([rule, own]) => [rule.id, own]))
      for (const own of before.values()) own.close()
      topics = new RuleIndex()
      positions = new Map(rules.map((rule, position) => [rule, position]))
      expectations = new Map()
      const alerts = [...open]
      for (const rule of rules) {
        const { topic } = rule.settings
        if (topic !== undefined) topics.add(topic, rule)
        if (rule.expectation === null) continue
        topics.add(rule.expectation.pattern, rule)
        const own = new Expectations(core, rule, rule.expectation)
        expectations.set(rule, own)
        own.start(
          before.get(rule.id),
          alerts,
          rule.id.startsWith(HEARTBEAT) ? rule.expectation.pattern : null,
        )
        if (started) own.begin()
      }
      events = rules.flatMap((rule) =>
        rule.settings.event === undefined ? [] : [{ rule, pattern: rule.settings.event }],
      )
    },
    start() {
      started = true
      for (const own of expectations.values()) own.begin(core().clock.now())
    },
    expected: (tenant) =>
      [...expectations].flatMap(([rule, own]) => (rule.tenant === tenant ? own.list() : [])),
    close() {
      for (const own of expectations.values()) own.close()
    },
  }
}

/** No rule of the configuration can be called so. */
const HEARTBEAT = 'heartbeat:'

/** A heartbeat is a rule that expects one topic, whether it was ever heard or not. */
function heartbeatRules(heartbeats: Config['heartbeats']): readonly RuleSettings[] {
  return Object.entries(heartbeats).map(([name, { tenant, every, grace, alert }]) => ({
    id: `${HEARTBEAT}${name}`,
    tenant,
    expect: heartbeatTopic(name),
    every,
    grace,
    alert: {
      severity: alert?.severity ?? 'critical',
      type: alert?.type ?? 'heartbeat_missed',
      message: alert?.message ?? `${name} has not reported for ${every}`,
      source: name,
      data: { heartbeat: name },
    },
  }))
}

/** The publisher hears once what became of its message, not once for every rule. */
function withoutReceipts(core: Core): Core {
  return { ...core, receipts: { ...core.receipts, accepted: () => {}, rejected: () => {} } }
}
