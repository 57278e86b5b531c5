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
    return this.options.persistence.keepSession({ id }, principal)
  }

  left(id: string, at: number): void {
    this.later(this.options.persistence.leaveSession({ id }, at))
  }

  dropped(id: string): Promise<void> {
    const done = this.options.persistence.dropSession({ id })
    this.later(done)
    return done
  }

  subscribed(id: string, subscriptions: readonly PersistedSubscription[]): Promise<void> {
    return this.options.persistence.addSubscriptions({ id }, subscriptions)
  }

  unsubscribed(id: string, filters: readonly string[]): Promise<void> {
    return this.options.persistence.removeSubscriptions({ id }, filters)
  }

  /**
   * Stores one message for all sessions that it waits for, and lets what had to wait for that be sent. When it fails
   * it is sent all the same, and the promise rejects so that the publisher repeats it.
   */
  async queued(message: Message, entries: readonly KeptEntry[]): Promise<void> {
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
      await this.options.persistence.outgoingEnqueueCombi(recipients, { ...packet, ...this.name() })
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
    return this.options.persistence.outgoingUpdate({ id }, { cmd: 'pubrel', messageId })
  }

  /** Confirmed or dropped. */
  ended(id: string, { id: messageId }: Outgoing): void {
    this.later(this.options.persistence.outgoingClearMessageId({ id }, { messageId }))
  }

  /** A QoS 2 publish was taken; PUBREC may follow when this has resolved. */
  took(id: string, messageId: number): Promise<void> {
    // What it said is stored elsewhere, or not at all.
    const packet = { cmd: 'publish', topic: '', payload: '', qos: 2, retain: false, messageId } as const
    return this.options.persistence.incomingStorePacket({ id }, packet)
  }

  /** Its PUBREL came; PUBCOMP may follow when this has resolved, for the client then uses the identifier again. */
  async finished(id: string, messageId: number): Promise<void> {
    await this.options.persistence.incomingDelPacket({ id }, { messageId })
  }

  retained({ topic, payload, qos }: Message, tenant: string): Promise<void> {
    return this.options.persistence.storeRetained({ topic, payload, qos, retain: true, tenant })
  }

  willPut(id: string, will: PersistedWill): Promise<void> {
    return this.options.persistence.putWill({ id }, will)
  }

  willDone(id: string): void {
    this.later(this.options.persistence.delWill({ id }))
  }

  private name(): { brokerId: string; brokerCounter: number } {
    return { brokerId: this.options.boot, brokerCounter: ++this.counter }
  }

  private later(done: Promise<unknown>): void {
    done.catch((error: unknown) => this.options.onFailure(error))
  }
}
