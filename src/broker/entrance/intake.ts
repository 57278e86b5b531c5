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
  /** Hands a plain message on; in the order of arrival and before its acknowledgement. */
  readonly forward: (packet: AedesPublish) => void
  /** A publish began (1) or ended (-1) to wait for its outcome. */
  readonly onPending: (by: 1 | -1) => void
  /** Says in the log why the publish is not taken; the connection is closed for it. */
  readonly onRefused: (packet: AedesPublish, outcome: Outcome & { readonly kind: 'refused' }) => void
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
  private beginning = 0
  private bytes = 0
  private entering = false
  private advancing = false
  private gone = false
  private refused = false
  private who: { principal: Principal; sessionId: string; incoming: Set<number> } | null = null

  constructor(options: IntakeOptions) {
    this.options = options
  }

  /** Whether a publish waits for its outcome: the peer is not silent then, it is not being read. */
  get busy(): boolean {
    return this.waiting.length + this.entered.length > 0
  }

  /** Whether so much waits that no more should be read: backpressure reaches the publisher through TCP (promise P25). */
  get full(): boolean {
    return this.bytes > FULL_BYTES
  }

  /** From the CONNACK on. `incoming` are the QoS 2 exchanges of the session that are not finished. */
  begin(principal: Principal, sessionId: string, incoming: Set<number>): void {
    this.who = { principal, sessionId, incoming }
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
      this.options.onPending(-1)
      this.bytes -= job.packet.payload.length
      if (job.packet.qos === 2) this.beginning--
      this.acknowledge(job, job.outcome)
    }
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
      if (outcome.kind === 'plain') this.options.forward(packet)
      done(null)
      return
    }
    const repeated = packet.qos === 2 && !this.begins(packet.messageId ?? 0)
    if (outcome.kind === 'plain' && !repeated) this.options.forward(packet)
    if (!this.gone) done(null)
    // The acknowledgement of QoS 2 is on its way two turns later.
    if (failpointArmed && packet.qos === 2) setImmediate(() => setImmediate(() => failpoint('after-puback')))
  }

  /** Whether the exchange is a new one; Aedes then finds it begun, and only acknowledges. */
  private begins(messageId: number): boolean {
    const incoming = this.who?.incoming
    if (!incoming || incoming.has(messageId)) return false
    incoming.add(messageId)
    return true
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

function failed(error: unknown): Outcome {
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
