import { hash } from 'node:crypto'
import type { Principal } from '../../access/principal.ts'
import { isReserved } from '../../access/topic-filter.ts'
import { failpoint, failpointArmed } from '../../failpoint.ts'
import type { Outcome, Publish } from '../../router/publish.ts'
import type { AedesPublish } from '../aedes.ts'

/** Half-open QoS 2 exchanges of one session (security row 17); each costs one integer. */
const OPEN_EXCHANGES = 1000

const FULL_BYTES = 256 * 1024

const DISCARDED: Outcome = { kind: 'discarded', code: null }
const TOO_MANY_EXCHANGES: Outcome = {
  kind: 'refused',
  code: 'store.busy',
  message: `More than ${OPEN_EXCHANGES} QoS 2 messages wait for their PUBREL`,
}

export interface IntakeOptions {
  /** Takes one publish, as the door does; may throw or reject, which counts as refused. */
  readonly receive: (publish: Publish, submitted: () => void) => Promise<Outcome>
  readonly correlate: () => string
  /**
   * Hands a plain message on; in the order of arrival. Its acknowledgement waits for what this resolves with, when
   * there is something to wait for.
   */
  readonly forward: (packet: AedesPublish, by: Principal) => Promise<void> | null
  /** A publish began (1) or ended (-1) to wait for its outcome. */
  readonly onPending: (by: 1 | -1) => void
  /** Says in the log why the publish is not taken; the connection is closed for it. */
  readonly onRefused: (packet: AedesPublish, outcome: Outcome & { readonly kind: 'refused' }) => void
}

/** What the session of a connection adds to its publishes. */
export interface Begun {
  readonly sessionId: string
  /** The QoS 2 exchanges that are not finished. */
  readonly incoming: Set<number>
  /** Keeps a new one beyond the process; null when the session ends with it. */
  readonly remember: (messageId: number) => Promise<void> | null
}

interface Job {
  readonly packet: AedesPublish
  readonly done: (error?: Error | null) => void
  readonly will: boolean
  outcome: Outcome | null
}

/**
 * The publishes of one connection on their way through the door: each enters only after the one before was submitted,
 * and is acknowledged only after the one before was (promises P1 and P5), whatever order the commits end in. Aedes
 * acknowledges when `done` is called, so `done` is called after the commit and not at all if there was none.
 */
export class Intake {
  private readonly options: IntakeOptions
  private readonly abort = new AbortController()
  private waiting: Job[] = []
  private entered: Job[] = []
  /** Decided upon and handed on, in order, behind one whose acknowledgement has to wait for the disk. */
  private keeping: { readonly job: Job; kept: boolean }[] = []
  private beginning = 0
  private bytes = 0
  private entering = false
  private advancing = false
  private gone = false
  private refused = false
  private who: (Begun & { readonly principal: Principal }) | null = null

  constructor(options: IntakeOptions) {
    this.options = options
  }

  /** Whether a publish waits for its outcome: the peer is not silent then, it is not being read. */
  get busy(): boolean {
    return this.waiting.length + this.entered.length + this.keeping.length > 0
  }

  /** Whether so much waits that no more should be read: backpressure reaches the publisher through TCP (promise P25). */
  get full(): boolean {
    return this.bytes > FULL_BYTES
  }

  /** From the CONNACK on. */
  begin(principal: Principal, begun: Begun): void {
    this.who = { principal, ...begun }
  }

  take(packet: AedesPublish, done: Job['done']): void {
    if (this.refused) return
    let outcome: Outcome | null = null
    const { incoming } = this.who ?? {}
    if (isReserved(packet.topic)) outcome = outcomeOfReserved(packet.topic)
    // The exchange goes on where it was: the message was taken when its identifier was first seen [MQTT-4.3.3-2].
    else if (packet.qos === 2 && incoming?.has(packet.messageId ?? 0)) outcome = DISCARDED
    else if (packet.qos === 2 && (incoming?.size ?? 0) + this.beginning >= OPEN_EXCHANGES)
      outcome = TOO_MANY_EXCHANGES
    this.admit({ packet, done, will: false, outcome })
  }

  /** The last will: after everything else that this connection has sent, and without an acknowledgement. */
  takeWill(packet: AedesPublish, done: Job['done']): void {
    const outcome = isReserved(packet.topic) ? outcomeOfReserved(packet.topic) : null
    this.admit({ packet, done, will: true, outcome })
  }

  /** The connection has ended. What was read from it still goes in, but nothing of it waits for a rate limit any more. */
  end(): void {
    this.gone = true
    this.abort.abort()
  }

  private admit(job: Job): void {
    this.options.onPending(1)
    this.bytes += job.packet.payload.length
    // A burst is decided upon before its first message is stored: what is on its way counts as well as what is open.
    if (job.packet.qos === 2) this.beginning++
    this.waiting.push(job)
    this.advance()
  }

  private advance(): void {
    if (this.advancing) return
    this.advancing = true
    while (!this.entering) {
      const job = this.waiting.shift()
      if (!job) break
      this.entered.push(job)
      if (job.outcome === null) this.enter(job)
    }
    this.advancing = false
    this.conclude()
  }

  private enter(job: Job): void {
    this.entering = true
    let submitted = false
    const submit = () => {
      if (submitted) return
      submitted = true
      this.entering = false
      this.advance()
    }
    const settle = (outcome: Outcome) => {
      job.outcome = outcome
      submit()
      this.conclude()
    }
    const fail = (error: unknown) => settle(failed(error))
    try {
      this.options.receive(this.publishOf(job), submit).then(settle, fail)
    } catch (error) {
      fail(error)
    }
  }

  private publishOf({ packet, will }: Job): Publish {
    if (!this.who) throw new Error('a publish before the CONNACK')
    const { principal, sessionId } = this.who
    return {
      principal,
      topic: packet.topic,
      payload: packet.payload,
      qos: packet.qos,
      via: 'mqtt',
      fingerprint: will || packet.qos === 0 ? null : fingerprint(sessionId, packet),
      dup: packet.dup === true,
      correlationId: this.options.correlate(),
      ...(will ? { will } : { signal: this.abort.signal }),
    }
  }

  private conclude(): void {
    while (this.entered[0]?.outcome) {
      const job = this.entered.shift()
      if (!job?.outcome) return
      if (job.packet.qos === 2) this.beginning--
      const kept = this.handOn(job, job.outcome)
      if (kept === null && this.keeping.length === 0) this.finish(job)
      else this.wait(job, kept)
    }
  }

  /** What the acknowledgement has to wait for, if anything. */
  private handOn({ packet, will }: Job, outcome: Outcome): Promise<void> | null {
    if (outcome.kind === 'refused' || (this.refused && !will) || !this.who) return null
    const begun = packet.qos === 2 && !will ? this.beginExchange(packet.messageId ?? 0) : null
    if (outcome.kind !== 'plain' || begun === 'before') return begun === 'before' ? null : begun
    const forwarded = this.options.forward(packet, this.who.principal)
    return forwarded && begun ? together(forwarded, begun) : (forwarded ?? begun)
  }

  private wait(job: Job, kept: Promise<void> | null): void {
    const entry = { job, kept: kept === null }
    this.keeping.push(entry)
    const go = () => {
      entry.kept = true
      while (this.keeping[0]?.kept) {
        const first = this.keeping.shift()
        if (first) this.finish(first.job)
      }
    }
    kept?.then(go, (error: unknown) => {
      job.outcome = { ...failed(error), code: 'store.unavailable' }
      // The sender repeats it, and it must not pass for one that was taken.
      if (job.packet.qos === 2) this.who?.incoming.delete(job.packet.messageId ?? 0)
      go()
    })
  }

  private finish(job: Job): void {
    this.options.onPending(-1)
    this.bytes -= job.packet.payload.length
    if (job.outcome) this.acknowledge(job, job.outcome)
  }

  private acknowledge(job: Job, outcome: Outcome): void {
    const { packet, done } = job
    // Nothing is acknowledged after a refusal: the connection is ending, and the sender will repeat it.
    if (this.refused && !job.will) return
    if (outcome.kind === 'refused') {
      if (!job.will) this.refuse()
      this.options.onRefused(packet, outcome)
      done(new Error(outcome.message))
      return
    }
    if (job.will) {
      done(null)
      return
    }
    if (!this.gone) done(null)
    // The acknowledgement of QoS 2 is on its way two turns later.
    if (failpointArmed && packet.qos === 2) setImmediate(() => setImmediate(() => failpoint('after-puback')))
  }

  /** Aedes finds the exchange begun, and only acknowledges. `before`: it is not a new one. */
  private beginExchange(messageId: number): Promise<void> | null | 'before' {
    if (!this.who || this.who.incoming.has(messageId)) return 'before'
    this.who.incoming.add(messageId)
    return this.who.remember(messageId)
  }

  private refuse(): void {
    this.refused = true
    for (const job of this.waiting) if (!job.will) this.options.onPending(-1)
    this.waiting = this.waiting.filter((job) => job.will)
  }
}

/** A bridge announces itself under `$SYS/broker/connection/`; everything else there is the broker's own (contract section 4). */
function outcomeOfReserved(topic: string): Outcome {
  if (topic.startsWith('$SYS/broker/connection/')) return DISCARDED
  return {
    kind: 'refused',
    code: 'publish.reserved_topic',
    message: 'Topics below $SYS and $share belong to the broker',
  }
}

async function together(one: Promise<void>, other: Promise<void>): Promise<void> {
  await Promise.all([one, other])
}

function failed(error: unknown): Outcome & { readonly kind: 'refused' } {
  return {
    kind: 'refused',
    code: 'server.internal',
    message: error instanceof Error ? error.message : String(error),
  }
}

/** Equal for the repetition of a transmission and for nothing else (promise P3). */
function fingerprint(sessionId: string, packet: AedesPublish): string {
  const head = `${sessionId}\n${packet.messageId}\n${packet.topic}\n`
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(head) + packet.payload.length)
  bytes.set(packet.payload, bytes.write(head))
  return hash('sha1', bytes, 'base64url')
}
