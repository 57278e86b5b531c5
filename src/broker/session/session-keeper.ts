import type { Principal } from '../../access/principal.ts'
import type { Message } from './frame.ts'
import type { Outgoing } from './outgoing-queue.ts'
import type { PersistedSubscription, PersistedWill, Persistence } from './persistence.ts'
import type { Session } from './session.ts'

/** A message in the queue of one session. */
export interface KeptEntry {
  readonly session: Session
  readonly entry: Outgoing
}

export interface SessionKeeperOptions {
  readonly persistence: Persistence
  /** Part of the name of every message. */
  readonly boot: string
  /** A change that nobody waits for could not be kept: a restart will find what was before it. */
  readonly onFailure: (error: unknown) => void
  /**
   * Nobody waits for what cannot be kept: what is in memory is kept anew later, and what is at home on another node by
   * now is none of this one's. So it is where the sessions are not kept in the store.
   */
  readonly lenient?: boolean
}

/**
 * Writes through what sessions must not lose with the process. What is promised to a client resolves after its commit;
 * of the rest a crash may undo the last moment, which repeats a message or a hand-shake and loses nothing.
 */
export class SessionKeeper {
  private readonly options: SessionKeeperOptions
  private counter = 0

  constructor(options: SessionKeeperOptions) {
    this.options = options
  }

  came(id: string, principal: Principal): Promise<void> {
    return this.surely(this.options.persistence.keepSession({ id }, principal))
  }

  left(id: string, at: number): void {
    this.later(this.options.persistence.leaveSession({ id }, at))
  }

  dropped(id: string): Promise<void> {
    const done = this.surely(this.options.persistence.dropSession({ id }))
    this.later(done)
    return done
  }

  subscribed(id: string, subscriptions: readonly PersistedSubscription[]): Promise<void> {
    return this.surely(this.options.persistence.addSubscriptions({ id }, subscriptions))
  }

  unsubscribed(id: string, filters: readonly string[]): Promise<void> {
    return this.surely(this.options.persistence.removeSubscriptions({ id }, filters))
  }

  /**
   * Stores one message for all sessions that it waits for, and lets what had to wait for that be sent. When it fails
   * it is sent all the same, and the promise rejects so that the publisher repeats it. With its place on the bus it is
   * kept once, however often it is heard.
   */
  async queued(message: Message, entries: readonly KeptEntry[], position?: string): Promise<void> {
    const { topic, payload } = message
    // Only a replayed message goes out with the flag [MQTT-3.3.1-9].
    const first = entries[0]?.entry
    const recipients = entries.map(({ session, entry }) => {
      const { qos, id: messageId } = entry
      return { clientId: session.id, topic, qos, messageId }
    })
    const packet = {
      cmd: 'publish',
      topic,
      payload,
      qos: message.qos,
      retain: first?.retain === true,
    } as const
    try {
      const name = position === undefined ? this.name() : { brokerId: position, brokerCounter: 0, position }
      await this.options.persistence.outgoingEnqueueCombi(recipients, { ...packet, ...name })
    } finally {
      for (const { session, entry } of entries) {
        if (entry.stored) continue
        entry.stored = true
        session.outbound?.queued()
      }
    }
  }

  /** PUBREC came; PUBREL may follow when this has resolved. */
  released(id: string, { id: messageId }: Outgoing): Promise<void> {
    return this.surely(this.options.persistence.outgoingUpdate({ id }, { cmd: 'pubrel', messageId }))
  }

  /** Confirmed or dropped. */
  ended(id: string, { id: messageId }: Outgoing): void {
    this.later(this.options.persistence.outgoingClearMessageId({ id }, { messageId }))
  }

  /** A QoS 2 publish was taken; PUBREC may follow when this has resolved. */
  took(id: string, messageId: number): Promise<void> {
    // What it said is stored elsewhere, or not at all.
    const packet = { cmd: 'publish', topic: '', payload: '', qos: 2, retain: false, messageId } as const
    return this.surely(this.options.persistence.incomingStorePacket({ id }, packet))
  }

  /** Its PUBREL came; PUBCOMP may follow when this has resolved, for the client then uses the identifier again. */
  async finished(id: string, messageId: number): Promise<void> {
    await this.surely(this.options.persistence.incomingDelPacket({ id }, { messageId }))
  }

  retained({ topic, payload, qos }: Message, tenant: string, position?: string): Promise<void> {
    const packet = { topic, payload, qos, retain: true, tenant, ...(position !== undefined && { position }) }
    return this.options.persistence.storeRetained(packet)
  }

  willPut(id: string, will: PersistedWill): Promise<void> {
    return this.surely(this.options.persistence.putWill({ id }, will))
  }

  willDone(id: string): void {
    this.later(this.options.persistence.delWill({ id }))
  }

  /** Everything of one session anew, after it may have been lost there. Rejects when it is at home elsewhere. */
  async renew(session: Session, position: string): Promise<void> {
    const { persistence } = this.options
    const { id, principal, filters, queue, incoming, outbound, disconnectedAt } = session
    const changes: Promise<unknown>[] = [
      persistence.dropSession({ id }),
      persistence.keepSession({ id }, principal),
    ]
    if (outbound === null) changes.push(persistence.leaveSession({ id }, disconnectedAt))
    changes.push(
      persistence.addSubscriptions(
        { id },
        [...filters].map(([topic, qos]) => ({ topic, qos })),
      ),
    )
    for (const entry of queue.durable()) {
      const { topic, payload } = entry.message
      const packet = {
        cmd: 'publish',
        topic,
        payload,
        qos: entry.qos,
        retain: entry.retain,
        position,
      } as const
      const recipient = { clientId: id, topic, qos: entry.qos, messageId: entry.id }
      changes.push(persistence.outgoingEnqueue(recipient, { ...packet, ...this.name() }))
      if (entry.released)
        changes.push(persistence.outgoingUpdate({ id }, { cmd: 'pubrel', messageId: entry.id }))
    }
    for (const messageId of incoming) {
      const packet = { cmd: 'publish', topic: '', payload: '', qos: 2, retain: false, messageId } as const
      changes.push(persistence.incomingStorePacket({ id }, packet))
    }
    await Promise.all(changes)
  }

  private async surely(done: Promise<unknown>): Promise<void> {
    if (this.options.lenient) await done.catch((error: unknown) => this.options.onFailure(error))
    else await done
  }

  private name(): { brokerId: string; brokerCounter: number } {
    return { brokerId: this.options.boot, brokerCounter: ++this.counter }
  }

  private later(done: Promise<unknown>): void {
    done.catch((error: unknown) => this.options.onFailure(error))
  }
}
