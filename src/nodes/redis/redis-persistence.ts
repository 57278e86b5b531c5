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
import type { RedisLink } from './link.ts'
import { decodePacket, encodePacket, readQueued } from './packet.ts'
import { CHANGE, RETAINED, sessionKey, SESSIONS, WILLS } from './session-script.ts'

type Argument = string | number | Uint8Array
type Change = readonly [name: string, ...args: Argument[]]

interface Waiting {
  readonly change: Change
  resolve(reply: unknown): void
  reject(error: unknown): void
}

/** Arguments that a script takes at once; the server's bound is 8000. */
const MOST_ARGUMENTS = 4000

/**
 * MQTT session state in Redis: the changes of one turn are one step of the server. A change of a session that is at home
 * on another node rejects and changes nothing. While Redis is away every change rejects at once; what is lost with it is
 * written again by the nodes that have the sessions in memory.
 */
export class RedisPersistence implements Persistence {
  readonly #link: RedisLink
  readonly #node: string
  #waiting: Waiting[] = []
  #broker: { readonly id: string } = { id: '' }

  /** @param node At home there: the node that sessions are kept for. */
  constructor(link: RedisLink, node: string) {
    this.#link = link
    this.#node = node
  }

  get broker(): { readonly id: string } {
    return this.#broker
  }

  async setup(broker: { readonly id: string }): Promise<void> {
    this.#broker = broker
  }

  async addSubscriptions(client: SessionRef, subscriptions: readonly PersistedSubscription[]): Promise<void> {
    await this.#all(
      subscriptions.map((subscription) => [
        'subscribe',
        client.id,
        subscription.topic,
        JSON.stringify({ ...subscription, clientId: undefined }),
      ]),
    )
  }

  async removeSubscriptions(client: SessionRef, filters: readonly string[]): Promise<void> {
    await this.#all(filters.map((filter) => ['unsubscribe', client.id, filter]))
  }

  async cleanSubscriptions(client: SessionRef): Promise<void> {
    await this.#change(['unsubscribeAll', client.id])
  }

  async subscriptionsByClient(client: SessionRef): Promise<PersistedSubscription[]> {
    const values = (await this.#link.call('HVALS', sessionKey(client.id, 'f'))) as Buffer[]
    return values.map((value) => JSON.parse(value.toString()) as PersistedSubscription)
  }

  async subscriptionsByTopic(
    topic: string,
  ): Promise<(PersistedSubscription & { readonly clientId: string })[]> {
    return (await this.#subscriptions())
      .filter(({ qos, topic: filter }) => qos > 0 && matchFilter(filter, topic))
      .toSorted((a, b) => (a.topic < b.topic ? 1 : a.topic > b.topic ? -1 : 0))
  }

  getClientList(filter: string): Readable {
    return streamOf(
      this.#subscriptions().then((all) =>
        // Redis gives its sets in any order.
        all
          .filter(({ topic }) => topic === filter)
          .map(({ clientId }) => clientId)
          .toSorted(),
      ),
    )
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
    const name = nameOf(packet)
    const replies = await this.#all(
      recipients.map(({ clientId, qos, messageId }) => {
        const { topic, payload, retain, dup = false, brokerId = '', brokerCounter = 0 } = packet
        const lower = Math.min(qos, packet.qos) as 0 | 1 | 2
        const own = { cmd: 'publish', topic, payload, qos: lower, retain, dup, brokerId, brokerCounter }
        return ['enqueue', clientId, name, messageId ?? '', packet.position ?? '', encodePacket(own)]
      }),
    )
    // One that has moved has the message there: its new node reads the bus from where this one stopped.
    if (replies.length > 0 && replies.every((reply) => reply === -1))
      throw new Error('the sessions are elsewhere')
  }

  async outgoingUpdate(client: SessionRef, packet: PersistedPublish | PersistedPubrel): Promise<void> {
    const found = await this.#change(
      packet.cmd === 'pubrel'
        ? ['release', client.id, packet.messageId]
        : ['identify', client.id, nameOf(packet), packet.messageId ?? 0],
    )
    if (found === 0) throw new Error('no such packet')
  }

  async outgoingClearMessageId(
    client: SessionRef,
    { messageId }: { readonly messageId?: number | undefined },
  ): Promise<PersistedPublish | PersistedPubrel | undefined> {
    if (messageId === undefined) return undefined
    const found = await this.#change(['clear', client.id, messageId])
    return found instanceof Uint8Array ? readQueued(Buffer.from(found), messageId) : undefined
  }

  outgoingStream(client: SessionRef): Readable {
    return streamOf(this.#queue(client.id))
  }

  async incomingStorePacket(client: SessionRef, packet: PersistedPublish): Promise<void> {
    const { length: _, ...rest } = packet as PersistedPublish & { readonly length?: number }
    await this.#change(['take', client.id, packet.messageId ?? 0, encodePacket(rest)])
  }

  async incomingGetPacket(
    client: SessionRef,
    { messageId }: { readonly messageId: number },
  ): Promise<PersistedPublish> {
    const found = await this.#link.call('HGET', sessionKey(client.id, 'i'), messageId)
    if (!(found instanceof Uint8Array)) throw new Error('no such packet')
    return decodePacket(Buffer.from(found))
  }

  async incomingDelPacket(client: SessionRef, { messageId }: { readonly messageId: number }): Promise<void> {
    if ((await this.#change(['untake', client.id, messageId])) === 0) throw new Error('no such packet')
  }

  async cleanIncoming(client: SessionRef): Promise<void> {
    await this.#change(['untakeAll', client.id])
  }

  async storeRetained(packet: PersistedRetained): Promise<void> {
    const { position = '', ...rest } = packet
    const field = `${packet.tenant ?? ''}\0${packet.topic}`
    await this.#change(
      packet.payload.length === 0
        ? ['unretain', field, position]
        : ['retain', field, position, encodePacket(rest)],
    )
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter])
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    const found = (this.#link.call('HVALS', RETAINED) as Promise<Buffer[]>).then((values) =>
      values
        .map((value) => decodePacket<PersistedRetained>(value))
        .filter(({ topic }) => filters.some((filter) => matchFilter(filter, topic))),
    )
    return streamOf(found)
  }

  async putWill(client: SessionRef, will: PersistedWill): Promise<void> {
    // Aedes tells by these whose will it reads, and expects them on what it gave.
    will.brokerId = this.#broker.id
    will.clientId = client.id
    await this.#change(['will', client.id, this.#broker.id, encodePacket(will)])
  }

  async getWill(client: SessionRef): Promise<PersistedWill | undefined> {
    const found = await this.#link.call('HGET', WILLS, client.id)
    return found instanceof Uint8Array ? decodePacket(Buffer.from(found)) : undefined
  }

  async delWill(client: SessionRef): Promise<PersistedWill | undefined> {
    const found = await this.#change(['unwill', client.id, this.#broker.id])
    return found instanceof Uint8Array ? decodePacket(Buffer.from(found)) : undefined
  }

  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    const found = (this.#link.call('HVALS', WILLS) as Promise<Buffer[]>).then((values) =>
      values
        .map((value) => decodePacket<PersistedWill>(value))
        .filter(({ brokerId }) => !Object.hasOwn(brokers, String(brokerId))),
    )
    return streamOf(found)
  }

  async destroy(): Promise<void> {}

  async keepSession(client: SessionRef, principal: Principal): Promise<void> {
    await this.#change(['keep', client.id, JSON.stringify(principal)])
  }

  async leaveSession(client: SessionRef, at: number): Promise<void> {
    await this.#change(['leave', client.id, at])
  }

  async dropSession(client: SessionRef): Promise<void> {
    await this.#change(['drop', client.id])
  }

  async sessions(): Promise<readonly PersistedSession[]> {
    const found: PersistedSession[] = []
    for (const id of await this.#ids()) {
      const [principal, leftAt] = (await this.#link.call(
        ...(['HMGET', sessionKey(id, 's'), 'principal', 'leftAt'] as const),
      )) as (Buffer | null)[]
      if (principal) found.push({ id, ...readRecord(principal.toString(), leftAt?.toString() ?? '') })
    }
    return found.toSorted((a, b) => (a.leftAt ?? -Infinity) - (b.leftAt ?? -Infinity))
  }

  async incomingIds(client: SessionRef): Promise<readonly number[]> {
    return ((await this.#link.call('HKEYS', sessionKey(client.id, 'i'))) as Buffer[]).map(Number)
  }

  async #ids(): Promise<readonly string[]> {
    return ((await this.#link.call('SMEMBERS', SESSIONS)) as Buffer[]).map(String)
  }

  async #subscriptions(): Promise<(PersistedSubscription & { readonly clientId: string })[]> {
    const all: (PersistedSubscription & { readonly clientId: string })[] = []
    for (const clientId of await this.#ids())
      for (const subscription of await this.subscriptionsByClient({ id: clientId }))
        all.push({ clientId, ...subscription })
    return all
  }

  async #queue(id: string): Promise<(PersistedPublish | PersistedPubrel)[]> {
    const names = (await this.#link.call('ZRANGE', sessionKey(id, 'o'), 0, -1)) as Buffer[]
    if (names.length === 0) return []
    const [packets, numbers] = (await Promise.all([
      this.#link.call('HMGET', sessionKey(id, 'p'), ...names),
      this.#link.call('HMGET', sessionKey(id, 'm'), ...names),
    ])) as [(Buffer | null)[], (Buffer | null)[]]
    return packets.flatMap((packet, index) => {
      const number = numbers[index]
      return packet ? [readQueued(packet, number ? Number(number.toString()) : undefined)] : []
    })
  }

  #all(changes: readonly Change[]): Promise<unknown[]> {
    return Promise.all(changes.map((change) => this.#change(change, true)))
  }

  async #change(change: Change, elsewhere = false): Promise<unknown> {
    const reply = await new Promise((resolve, reject) => {
      this.#waiting.push({ change, resolve, reject })
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flush())
    })
    if (reply === -1 && !elsewhere) throw new Error('the session is at home on another node')
    return reply
  }

  #flush(): void {
    let waiting = this.#waiting
    this.#waiting = []
    while (waiting.length > 0) {
      let size = 0
      const end = waiting.findIndex(({ change }) => (size += change.length + 1) > MOST_ARGUMENTS)
      const part = waiting.slice(0, end <= 0 ? undefined : end)
      waiting = waiting.slice(part.length)
      void this.#send(part)
    }
  }

  async #send(part: readonly Waiting[]): Promise<void> {
    const args = part.flatMap(({ change: [name, ...rest] }) => [name, rest.length, ...rest])
    try {
      // The script answers every change, in order.
      const replies = (await this.#link.run(CHANGE, [this.#node, ...args])) as unknown[]
      for (const [index, call] of part.entries()) call.resolve(replies[index])
    } catch (error) {
      for (const call of part) call.reject(error)
    }
  }
}

/** A session's record as it is stored. */
export function readRecord(principal: string, leftAt: string): Omit<PersistedSession, 'id'> {
  return { principal: JSON.parse(principal) as Principal, leftAt: leftAt === '' ? null : Number(leftAt) }
}

/** What names a message in the queues: the same however often it is enqueued. */
function nameOf({ brokerId = '', brokerCounter = 0 }: PersistedPublish): string {
  return `${brokerId}:${brokerCounter}`
}

function streamOf<T>(items: Promise<readonly T[]>): Readable {
  return Readable.from(
    (async function* () {
      for (const item of await items) yield item
    })(),
  )
}
