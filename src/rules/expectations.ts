import type { TenantId } from '../access/principal.ts'
import type { Alert } from '../alert/alert.ts'
import type { Core } from '../core.ts'
import { recordKind } from '../registry/registry.ts'
import { RuleIndex } from './rule-index.ts'
import { raiseOwnAlert } from './own-alert.ts'
import type { Task } from './apply-rules.ts'
import type { Expectation, Rule, RuleFacts } from './rule.ts'

/** A topic that was heard once and is expected again, by rule and topic. */
export const INSTANCE = recordKind<{ readonly seenAt: number; readonly silent: boolean }>('expected-topic')

/** Topics that one rule remembers; beyond them the one that was silent the longest is forgotten. */
const MOST_INSTANCES = 100_000
/** Alarms that are raised side by side when very many fall silent at once. */
const AT_ONCE = 100
const TRY_AGAIN_MS = 1000
/** How much of its period a topic's hearing may be older in the store than on the node that heard it. */
const UNHEARD_PART = 0.25

/** Another node raises these alarms now. */
class NotLeading extends Error {}

interface Instance {
  readonly topic: string
  readonly params: Readonly<Record<string, string>>
  /** When it was heard last, as far as this run or the store knows. */
  seenAt: number
  /** From when on its silence counts: when it was heard, or when this run began. */
  from: number
  silent: boolean
  /** Whether the store knows it as it is. */
  stored: boolean
}

/** An expected topic as operators see it. */
export interface ExpectedTopic {
  readonly rule: string
  readonly topic: string
  /** Null when it was never heard. */
  readonly lastSeenAt: number | null
  /** Null while it is silent or excused. */
  readonly dueAt: number | null
  readonly silent: boolean
}

/**
 * The topics of one rule with `expect` (behaviour E15). Stored is which topics there are and which are silent, never a
 * heartbeat: hearing one costs two changes of a map. After a restart each gets a whole period again from the moment on
 * at which it can be heard, because a message may have been missed until then; so a restart never makes a false alarm, and delays a true one by a period at most.
 */
export class Expectations {
  private readonly core: () => Core
  private readonly rule: Rule
  private readonly expectation: Expectation
  private readonly tenant: TenantId
  /** In the order in which they fall due, which is that in which they were heard: all wait equally long. */
  private readonly awaited = new Map<string, Instance>()
  /** Silent or excused: nothing falls due. */
  private readonly resting = new Map<string, Instance>()
  private cancel: (() => void) | null = null
  private checking = false
  private begun = false
  private closed = false
  private readonly index = new RuleIndex<null>()

  constructor(core: () => Core, rule: Rule, expectation: Expectation) {
    this.core = core
    this.rule = rule
    this.expectation = expectation
    // Checked by config/checks/rules.ts.
    this.tenant = rule.tenant as TenantId
  }

  /**
   * Takes over what is known: from the instances of the same rule before a reload, else from the store and the alerts
   * that are open. `always` is expected although it was never heard. Nothing falls due before `begin`.
   */
  start(before: Expectations | undefined, open: Iterable<Alert>, always: string | null): void {
    const core = this.core()
    const now = core.clock.now()
    const { index } = this
    index.add(this.expectation.pattern, null)
    const silent = new Set(this.silentTopics(open))
    const known = before
      ? before.instances()
      : core.registry
          .list(INSTANCE, this.tenant, this.rule.id)
          .map(({ key, doc }) => ({ topic: key, ...doc, from: now }))
    for (const { topic, seenAt, from, silent: wasSilent } of known) {
      const hit = index.match(topic)[0]
      if (hit === undefined) continue
      this.put({
        topic,
        params: hit.params,
        seenAt,
        from,
        silent: wasSilent || silent.has(topic),
        stored: true,
      })
    }
    if (always !== null && !this.awaited.has(always) && !this.resting.has(always))
      this.put({ topic: always, params: {}, seenAt: 0, from: now, silent: silent.has(always), stored: false })
  }

  /** Silence counts: for each topic from when it was heard on, or from `from` on where nothing could be heard before. */
  begin(from?: number): void {
    this.begun = true
    if (from !== undefined) for (const instance of this.awaited.values()) instance.from = from
    this.arm()
  }

  /** The message at hand: what it ends, and what is to be remembered of it. */
  heard(facts: RuleFacts): Task | null {
    const { topic, params } = facts
    const now = this.core().clock.now()
    const known = this.awaited.get(topic) ?? this.resting.get(topic)
    const { silent = false, stored = false } = known ?? {}
    const excused = this.expectation.excused(facts)
    this.awaited.delete(topic)
    this.resting.delete(topic)
    const instance: Instance = { topic, params, seenAt: now, from: now, silent, stored }
    if (excused) this.resting.set(topic, instance)
    else this.awaited.set(topic, instance)
    this.arm()
    this.tellOthers(instance, excused)
    if (stored && !silent) return null
    const decision = silent ? this.rule.alertOf(facts, 'resolved') : null
    return {
      rule: this.rule.id,
      decisions: decision === null ? [] : [decision],
      // Not before: a publish that could not be stored is sent again, and then has to end the alert.
      afterwards: async () => {
        instance.silent = false
        await this.remember(instance)
      },
    }
  }

  /**
   * Another node has heard the topic at this instant, and what it made of that is stored. It may not have known yet that
   * the topic was silent: then this one ends the alert.
   */
  heardElsewhere(topic: string, at: number, excused: boolean): void {
    const known = this.awaited.get(topic) ?? this.resting.get(topic)
    const hit = this.index.match(topic)[0]
    if (hit === undefined || (known && known.seenAt >= at)) return
    if (known?.silent) {
      known.seenAt = at
      this.end(known).catch((error: unknown) =>
        this.core().log.warn({ err: error, topic }, 'the end of a silence could not be stored'),
      )
      return
    }
    this.awaited.delete(topic)
    this.resting.delete(topic)
    const instance: Instance = {
      topic,
      params: hit.params,
      seenAt: at,
      from: at,
      silent: false,
      stored: true,
    }
    if (excused) this.resting.set(topic, instance)
    else this.awaited.set(topic, instance)
    this.arm()
  }

  /** What the store says of a topic since some node has written it. */
  stored(topic: string, { seenAt, silent }: { readonly seenAt: number; readonly silent: boolean }): void {
    const known = this.awaited.get(topic) ?? this.resting.get(topic)
    if (known?.silent === silent || (known && known.seenAt > seenAt)) return
    const hit = this.index.match(topic)[0]
    if (hit === undefined) return
    const { from = seenAt } = known ?? {}
    this.awaited.delete(topic)
    this.resting.delete(topic)
    this.put({ topic, params: hit.params, seenAt, from: Math.max(from, seenAt), silent, stored: true })
    this.arm()
  }

  list(): readonly ExpectedTopic[] {
    return [...this.instances()].map(({ topic, seenAt, from, silent }) => ({
      rule: this.rule.id,
      topic,
      lastSeenAt: seenAt === 0 ? null : seenAt,
      dueAt: this.awaited.has(topic) ? from + this.expectation.periodMs : null,
      silent,
    }))
  }

  close(): void {
    this.closed = true
    this.cancel?.()
    this.cancel = null
  }

  private *instances(): Iterable<Instance> {
    yield* this.awaited.values()
    yield* this.resting.values()
  }

  private put(instance: Instance): void {
    ;(instance.silent ? this.resting : this.awaited).set(instance.topic, instance)
  }

  private *silentTopics(open: Iterable<Alert>): Iterable<string> {
    for (const { tenant, data } of open)
      if (tenant === this.tenant && data['rule'] === this.rule.id && typeof data['topic'] === 'string')
        yield data['topic']
  }

  private async remember(instance: Instance): Promise<void> {
    const { topic, seenAt, silent } = instance
    const { registry, log } = this.core()
    const place = { tenant: this.tenant, owner: this.rule.id, key: topic }
    await registry.put(INSTANCE, place, { seenAt, silent })
    instance.stored = true
    if (this.awaited.size + this.resting.size <= MOST_INSTANCES) return
    const oldest = this.resting.values().next().value ?? this.awaited.values().next().value
    if (!oldest) return
    this.awaited.delete(oldest.topic)
    this.resting.delete(oldest.topic)
    log.warn({ rule: this.rule.id, topic: oldest.topic }, 'too many expected topics, the oldest is forgotten')
    await registry.remove(INSTANCE, { ...place, key: oldest.topic })
  }

  private tellOthers(instance: Instance, excused: boolean): void {
    const { others, registry } = this.core()
    if (!others) return
    const { topic, seenAt } = instance
    others.tell('heard', { rule: this.rule.id, topic, at: seenAt, excused })
    if (others.up || instance.silent || !instance.stored) return
    // While nobody hears that, the store says it, as often as makes a difference.
    const place = { tenant: this.tenant, owner: this.rule.id, key: topic }
    const said = registry.get(INSTANCE, place)?.doc.seenAt ?? 0
    if (seenAt - said < this.expectation.periodMs * UNHEARD_PART) return
    this.remember(instance).catch((error: unknown) =>
      this.core().log.warn({ err: error, topic }, 'when a topic was heard could not be stored'),
    )
  }

  /** A silence is over that another node heard the end of. */
  private async end(instance: Instance): Promise<void> {
    const { topic, params, seenAt } = instance
    const facts: RuleFacts = { params, topic, event: null, payload: null, will: false }
    const decision = this.rule.alertOf(facts, 'resolved')
    if (decision)
      await raiseOwnAlert(this.core(), {
        tenant: this.tenant,
        topic,
        onceKey: `heard:${this.rule.id}:${topic}:${seenAt}`,
        decision,
      })
    instance.silent = false
    this.resting.delete(topic)
    this.put(instance)
    await this.remember(instance)
    this.arm()
  }

  private first(): Instance | undefined {
    return this.awaited.values().next().value
  }

  /** One timer for the rule; hearing something leaves it as it is, because what is due first is only ever later. */
  private arm(): void {
    const first = this.first()
    if (!this.begun || this.cancel || this.checking || this.closed || !first) return
    const patience = this.core().others?.up === false ? this.expectation.periodMs * UNHEARD_PART : 0
    this.wake(first.from + this.expectation.periodMs + patience)
  }

  private wake(at: number): void {
    this.cancel = this.core().clock.at(at, () => {
      this.cancel = null
      this.check().then(
        () => this.arm(),
        (error: unknown) => {
          if (!(error instanceof NotLeading))
            this.core().log.warn({ err: error, rule: this.rule.id }, 'an alarm about silence has to wait')
          if (!this.closed) this.wake(this.core().clock.now() + TRY_AGAIN_MS)
        },
      )
    })
  }

  private async check(): Promise<void> {
    const { leads, others, registry } = this.core()
    if (leads?.() === false) {
      // The node that does may die before it has.
      throw new NotLeading()
    }
    if (others) await registry.catchUp()
    this.checking = true
    try {
      for (;;) {
        const due = this.due()
        if (due.length === 0) return
        const settled = await Promise.allSettled(due.map((instance) => this.alarm(instance)))
        const failure = settled.find((one) => one.status === 'rejected')
        if (failure) throw failure.reason
      }
    } finally {
      this.checking = false
    }
  }

  /** Takes the next that are due out of the line. */
  private due(): readonly Instance[] {
    const { clock, others, registry } = this.core()
    // What others hear comes late while they cannot say it.
    const patience = others?.up === false ? this.expectation.periodMs * UNHEARD_PART : 0
    const latest = clock.now() - this.expectation.periodMs - patience
    const due: Instance[] = []
    for (const instance of Array.from(this.awaited.values())) {
      if (instance.from > latest || due.length >= AT_ONCE) break
      const place = { tenant: this.tenant, owner: this.rule.id, key: instance.topic }
      const said = others ? (registry.get(INSTANCE, place)?.doc.seenAt ?? 0) : 0
      if (said > instance.from) {
        this.awaited.delete(instance.topic)
        instance.from = said
        this.awaited.set(instance.topic, instance)
      } else due.push(instance)
    }
    for (const instance of due) {
      // Before the alarm is stored: what is heard meanwhile has to end it.
      instance.silent = true
      this.awaited.delete(instance.topic)
      this.resting.set(instance.topic, instance)
    }
    return due
  }

  private async alarm(instance: Instance): Promise<void> {
    const { topic, params, from } = instance
    const facts: RuleFacts = { params, topic, event: null, payload: null, will: false }
    const { id } = this.rule
    try {
      const decision = this.rule.alertOf(facts, 'firing')
      if (decision) {
        const lastSeen = instance.seenAt === 0 ? null : new Date(instance.seenAt).toISOString()
        await raiseOwnAlert(this.core(), {
          tenant: this.tenant,
          topic,
          onceKey: `expect:${id}:${topic}:${from}`,
          decision: { ...decision, data: { ...decision.data, last_seen_at: lastSeen } },
        })
      }
      if (this.resting.get(topic) === instance) await this.remember(instance)
    } catch (error) {
      // Heard meanwhile: then there is nothing to alarm about.
      if (this.resting.get(topic) === instance) this.putBack(instance)
      throw error
    }
  }

  /** To the head of the line, where it was. */
  private putBack(instance: Instance): void {
    this.resting.delete(instance.topic)
    instance.silent = false
    const later = [...this.awaited]
    this.awaited.clear()
    this.awaited.set(instance.topic, instance)
    for (const [topic, other] of later) this.awaited.set(topic, other)
  }
}
