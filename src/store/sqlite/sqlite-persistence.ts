import { Readable } from 'node:stream'
import type { Principal } from '../../access/principal.ts'
import { matchFilter } from '../../access/topic-filter.ts'
import type {
  PersistedPublish,
  PersistedPubrel,
  PersistedRetained,
  PersistedSession,
  PersistedSubscription,
  PersistedWill,
  Persistence,
  Recipient,
  SessionRef,
} from '../../broker/session/persistence.ts'
import type { Row, SqlValue } from './file/database.ts'
import {
  incomingDoc,
  outgoingRow,
  readIncoming,
  readOutgoing,
  readRetained,
  readSession,
  readSubscription,
  readWill,
  retainedDoc,
  subscriptionOptions,
  willDoc,
} from './table/mqtt-packet.ts'
import type { SessionChange, SessionReply } from './table/mqtt-session.ts'
import type { Asker } from './thread/asker.ts'
import type { Committer, Precedence } from './thread/committer.ts'

/** Retained messages that cross between the threads at once. */
const PORTION = 200
/** All changes share it, so that those that free room do not overtake those that take some. */
const KEYS = ['mqtt sessions']

interface Waiting {
  readonly change: SessionChange
  resolve(reply: SessionReply): void
  reject(error: unknown): void
}

/** MQTT session state in the embedded store: the changes of one turn are one operation, and so one commit. */
export class SqlitePersistence implements Persistence {
  readonly #committer: Committer
  readonly #asker: Asker
  #waiting: Waiting[] = []
  #broker: { readonly id: string } = { id: '' }

  constructor(committer: Committer, asker: Asker) {
    this.#committer = committer
    this.#asker = asker
  }

  get broker(): { readonly id: string } {
    return this.#broker
  }

  async setup(broker: { readonly id: string }): Promise<void> {
    this.#broker = broker
  }

  async addSubscriptions(client: SessionRef, subscriptions: readonly PersistedSubscription[]): Promise<void> {
    await this.#all(
      subscriptions.map((subscription) => {
        const { topic, qos } = subscription
        return ['subscribe', client.id, topic, qos, subscriptionOptions(subscription)]
      }),
    )
  }

  async removeSubscriptions(client: SessionRef, filters: readonly string[]): Promise<void> {
    await this.#all(filters.map((filter) => ['unsubscribe', client.id, filter]))
  }

  async cleanSubscriptions(client: SessionRef): Promise<void> {
    await this.#change(['unsubscribeAll', client.id])
  }

  async subscriptionsByClient(client: SessionRef): Promise<PersistedSubscription[]> {
    return (await this.#asker.ask('mqttSubscriptions', client.id)).map((row) => readSubscription(row))
  }

  async subscriptionsByTopic(
    topic: string,
  ): Promise<(PersistedSubscription & { readonly clientId: string })[]> {
    return (await this.#subscriptions())
      .filter(({ qos, topic: filter }) => qos > 0 && matchFilter(filter, topic))
      .toSorted((a, b) => (a.topic < b.topic ? 1 : a.topic > b.topic ? -1 : 0))
  }

  getClientList(filter: string): Readable {
    const found = async function* (all: Promise<readonly { topic: string; clientId: string }[]>) {
      for (const { topic, clientId } of await all) if (topic === filter) yield clientId
    }
    return Readable.from(found(this.#subscriptions()))
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    const all = await this.#subscriptions()
    return {
      subsCount: all.filter(({ qos }) => qos > 0).length,
      clientsCount: new Set(all.map(({ clientId }) => clientId)).size,
    }
  }

  outgoingEnqueue(recipient: Recipient, packet: PersistedPublish): Promise<void> {
    return this.outgoingEnqueueCombi([recipient], packet)
  }

  async outgoingEnqueueCombi(recipients: readonly Recipient[], packet: PersistedPublish): Promise<void> {
    if (recipients.length === 0) return
    const queued = recipients.map(
      ({ clientId, qos, messageId }) => [clientId, Math.min(qos, packet.qos), messageId ?? null] as const,
    )
    await this.#change(['enqueue', outgoingRow(packet), queued])
  }

  async outgoingUpdate(client: SessionRef, packet: PersistedPublish | PersistedPubrel): Promise<void> {
    const found = await this.#change(
      packet.cmd === 'pubrel'
        ? ['release', client.id, packet.messageId]
        : ['identify', packet.messageId ?? null, client.id, packet.brokerId ?? '', packet.brokerCounter ?? 0],
    )
    if (found === 0) throw new Error('no such packet')
  }

  async outgoingClearMessageId(
    client: SessionRef,
    { messageId }: { readonly messageId?: number | undefined },
  ): Promise<PersistedPublish | PersistedPubrel | undefined> {
    if (messageId === undefined) return undefined
    const found = await this.#change(['clear', client.id, messageId])
    return typeof found === 'number' ? undefined : readOutgoing(found)
  }

  outgoingStream(client: SessionRef): Readable {
    return streamOf(this.#asker.ask('mqttOutgoing', client.id), readOutgoing)
  }

  async incomingStorePacket(client: SessionRef, packet: PersistedPublish): Promise<void> {
    await this.#change([
      'take',
      client.id,
      packet.messageId ?? 0,
      incomingDoc(packet),
      bytesOf(packet.payload),
    ])
  }

  async incomingGetPacket(
    client: SessionRef,
    { messageId }: { readonly messageId: number },
  ): Promise<PersistedPublish> {
    const row = await this.#asker.ask('mqttIncoming', { id: client.id, packetId: messageId })
    if (!row) throw new Error('no such packet')
    return readIncoming(row)
  }

  async incomingDelPacket(client: SessionRef, { messageId }: { readonly messageId: number }): Promise<void> {
    if ((await this.#change(['untake', client.id, messageId])) === 0) throw new Error('no such packet')
  }

  async cleanIncoming(client: SessionRef): Promise<void> {
    await this.#change(['untakeAll', client.id])
  }

  async storeRetained(packet: PersistedRetained): Promise<void> {
    const { topic, payload, tenant = '' } = packet
    await this.#change(
      payload.length === 0
        ? ['unretain', tenant, topic]
        : ['retain', tenant, topic, retainedDoc(packet), bytesOf(payload)],
    )
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter])
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    const asker = this.#asker
    return Readable.from(
      (async function* () {
        for (let after = 0; ;) {
          const rows = await asker.ask('mqttRetained', { after, limit: PORTION })
          for (const packet of rows.map(readRetained))
            if (filters.some((filter) => matchFilter(filter, packet.topic))) yield packet
          const last = rows.at(-1)
          if (!last) return
          after = Number(last[2])
        }
      })(),
    )
  }

  async putWill(client: SessionRef, will: PersistedWill): Promise<void> {
    // Aedes tells by these whose will it reads, and expects them on what it gave.
    will.brokerId = this.#broker.id
    will.clientId = client.id
    await this.#change(['will', client.id, will.brokerId, willDoc(will), bytesOf(will.payload)])
  }

  async getWill(client: SessionRef): Promise<PersistedWill | undefined> {
    const [row] = await this.#asker.ask('mqttWills', client.id)
    return row && readWill(row)
  }

  async delWill(client: SessionRef): Promise<PersistedWill | undefined> {
    const found = await this.#change(['unwill', client.id])
    return typeof found === 'number' ? undefined : readWill(found)
  }

  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return streamOf(
      this.#asker
        .ask('mqttWills', null)
        .then((rows) => rows.filter(([, , broker]) => !Object.hasOwn(brokers, String(broker)))),
      readWill,
    )
  }

  async destroy(): Promise<void> {}

  async keepSession(client: SessionRef, principal: Principal): Promise<void> {
    await this.#change(['keep', client.id, principal.tenant, JSON.stringify(principal)])
  }

  async leaveSession(client: SessionRef, at: number): Promise<void> {
    await this.#change(['leave', at, client.id])
  }

  async dropSession(client: SessionRef): Promise<void> {
    await this.#change(['drop', client.id])
  }

  async sessions(): Promise<readonly PersistedSession[]> {
    return (await this.#asker.ask('mqttSessions', undefined)).map(readSession)
  }

  async incomingIds(client: SessionRef): Promise<readonly number[]> {
    return (await this.#asker.ask('mqttIncomingIds', client.id)).map(([id]) => Number(id))
  }

  async #subscriptions(): Promise<(PersistedSubscription & { readonly clientId: string })[]> {
    return (await this.#asker.ask('mqttSubscriptions', null)).map((row) => ({
      clientId: row[0] as string,
      ...readSubscription(row),
    }))
  }

  async #all(changes: readonly SessionChange[]): Promise<void> {
    await Promise.all(changes.map((change) => this.#change(change)))
  }

  #change(change: SessionChange): Promise<SessionReply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, resolve, reject })
      if (this.#waiting.length === 1) queueMicrotask(() => void this.#flush())
    })
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    const changes = waiting.map(({ change }) => change)
    try {
      const replies = await this.#committer.write<'sessions'>(
        { kind: 'sessions', at: 0, changes },
        precedence(changes),
      )
      // The writer answers every change, in order.
      for (const [index, call] of waiting.entries()) call.resolve(replies[index]!)
    } catch (error) {
      for (const call of waiting) call.reject(error)
    }
  }
}

/** What takes room on the disk waits like every publish; what frees some, and every hand-shake, does not. */
function precedence(changes: readonly SessionChange[]): Precedence {
  const urgent = changes.every(([name]) => name !== 'enqueue' && name !== 'retain')
  return { urgent, keys: KEYS }
}

/** A copy that shares no memory: of a shared one all would cross to the other thread. */
function bytesOf(payload: Uint8Array | string): SqlValue {
  return typeof payload === 'string' ? payload : new Uint8Array(payload)
}

function streamOf<T>(rows: Promise<readonly Row[]>, read: (row: Row) => T): Readable {
  return Readable.from(
    (async function* () {
      for (const row of await rows) yield read(row)
    })(),
  )
}
