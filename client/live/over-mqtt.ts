import { frameOf, positionOf, type Frame, type Position } from './frame.ts'
import type { Requests } from '../requests.ts'
import type { Listener, Open, Transport } from './transport.ts'

/** The parts of a client of the `mqtt` package, version 5, that are used. */
export interface MqttClientLike {
  readonly connected: boolean
  on(event: 'message', listener: (topic: string, payload: Uint8Array) => void): unknown
  on(event: 'connect' | 'close' | 'packetreceive', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  subscribe(
    filters: string[],
    options: { readonly qos: 1 },
    done: (error: Error | null, granted?: readonly { readonly qos: number }[]) => void,
  ): unknown
  sendPing(): void
  end(force: boolean): unknown
}

/** The package `mqtt`, or what stands in for it. */
export interface MqttLike {
  connect(url: string, options: MqttConnectOptions): MqttClientLike
}

/** Begins clean, and leaves coming back to whoever opened it. */
interface MqttConnectOptions {
  readonly protocolVersion: 4
  readonly clean: true
  readonly keepalive: number
  readonly reconnectPeriod: 0
}

/** A silent server is noticed after 35 s; this makes it answer often enough. */
const KEEPALIVE_S = 15
const REFUSED = 128

/**
 * MQTT 3.1.1 over WebSocket at `/mqtt` (contract section 5). The topics carry what comes from the subscription on, and
 * everything unread; domain events that came before are fetched from `/v1/events/poll` once the subscription stands, so
 * that none falls between the two. `given`: the package, or how to get it; imported on demand unless given.
 */
export function overMqtt(given: MqttLike | (() => Promise<MqttLike>) | undefined): Transport {
  return (requests, _surroundings, since, listener) => {
    const abort = new AbortController()
    let client: MqttClientLike | null = null
    const end = () => {
      if (abort.signal.aborted) return
      abort.abort()
      client?.end(true)
      listener.ended()
    }
    const run = async () => {
      const mqtt = await packageOf(given)
      const [{ id: userId }, ticket] = await Promise.all([
        requests.json<{ id: string }>('GET', '/v1/users/me'),
        requests.ticket(),
      ])
      if (abort.signal.aborted) return
      const query = ticket === null ? '' : `?${new URLSearchParams({ ticket }).toString()}`
      client = mqtt.connect(`${requests.url.replace(/^http/, 'ws')}/mqtt${query}`, {
        protocolVersion: 4,
        clean: true,
        keepalive: KEEPALIVE_S,
        reconnectPeriod: 0,
      })
      await listen({ client, requests, userId, since, listener, signal: abort.signal, end })
    }
    run().catch(end)
    return {
      close() {
        abort.abort()
        // Only who is connected can say goodbye.
        client?.end(!client.connected)
      },
      ping() {
        client?.sendPing()
      },
    } satisfies Open
  }
}

interface Listening {
  readonly client: MqttClientLike
  readonly requests: Requests
  readonly userId: string
  readonly since: string
  readonly listener: Listener
  readonly signal: AbortSignal
  readonly end: () => void
}

/** Resolves once everything that was missed is told; rejects when it cannot be fetched or subscribed. */
async function listen({ client, requests, userId, since, listener, signal, end }: Listening): Promise<void> {
  const own = `users/${userId}/`
  let position: Position | null = null
  // What comes while the rest is still being fetched; null afterwards.
  let held: (() => void)[] | null = []
  const tell = (frame: Frame) => {
    position = positionOf(frame.id) ?? position
    if (!signal.aborted) listener.frame(frame)
  }
  client.on('close', end)
  client.on('error', end)
  client.on('packetreceive', () => {
    if (!signal.aborted) listener.alive()
  })
  client.on('message', (topic, payload) => {
    const take = () => {
      const frame = frameFrom(topic.slice(own.length), payload, position)
      if (frame) tell(frame)
    }
    if (held) held.push(take)
    else take()
  })
  await subscribed(client, [`${own}notifications`, `${own}alerts`, `${own}unread`, `${own}events/#`])
  await catchUp(requests, since, signal, tell)
  for (const take of held) take()
  held = null
}

function subscribed(client: MqttClientLike, filters: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    client.on('connect', () =>
      client.subscribe(filters, { qos: 1 }, (error, granted = []) => {
        if (error) reject(error)
        else if (granted.some(({ qos }) => qos === REFUSED)) reject(new Error('a subscription was refused'))
        else resolve()
      }),
    )
  })
}

/** Where the device stands, and the domain events that it missed; notifications it missed come over MQTT by themselves. */
async function catchUp(
  requests: Requests,
  since: string,
  signal: AbortSignal,
  tell: (frame: Frame) => void,
): Promise<void> {
  let session = ''
  let cursor = 0
  for (let more = true; more && !signal.aborted;) {
    const query = new URLSearchParams({ since, session, cursor: String(cursor), wait: '0' })
    const answer = await requests.json<{
      readonly session: string
      readonly cursor: number
      readonly items: readonly unknown[]
    }>('GET', `/v1/events/poll?${query.toString()}`)
    ;({ session, cursor } = answer)
    const frames = answer.items.flatMap((item) => frameOf(item) ?? [])
    // Events are there at once or not at all.
    more = frames.some(({ timestamp }) => timestamp !== undefined)
    for (const frame of frames) tell(frame)
  }
}

/** What a message below `users/{id}/` is as a frame; null for what is none. */
function frameFrom(path: string, payload: Uint8Array, position: Position | null): Frame | null {
  const data = parse(payload)
  if (data === null) return null
  const at = (moved: Partial<Position>) => {
    if (position === null) return ''
    const { seq, run, event } = { ...position, ...moved }
    return `${seq}.${run}.${event}`
  }
  if (path === 'notifications') {
    const { seq } = data
    // The names that the other transports give these two.
    const entry = { ...data, uuid: data['id'], body: data['message'] }
    return { type: 'notification.created', id: typeof seq === 'number' ? at({ seq }) : '', data: entry }
  }
  if (path === 'unread') return { type: 'unread', id: at({}), data }
  const { type } = data
  if (typeof type !== 'string') return null
  if (!path.startsWith('events/')) return { type, id: at({}), data }
  const [run, event] = String(data['id']).split('.')
  return frameOf({
    type,
    data: data['data'] ?? data,
    source: data['source'],
    timestamp: data['timestamp'],
    id: run !== undefined && event !== undefined ? at({ run, event: Number(event) }) : '',
  })
}

function parse(payload: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload))
    return typeof value === 'object' ? (value as Readonly<Record<string, unknown>> | null) : null
  } catch {
    return null
  }
}

/** Rejects when there is none, and says on the console what to do: the connection goes on without it. */
async function packageOf(given: MqttLike | (() => Promise<MqttLike>) | undefined): Promise<MqttLike> {
  try {
    const found: unknown = typeof given === 'function' ? await given() : (given ?? (await importPackage()))
    // Of a package in CommonJS some runtimes show the default alone.
    const { default: inner } = found as { readonly default?: unknown }
    for (const each of [found, inner]) if (isMqtt(each)) return each
    throw new TypeError('it has no connect')
  } catch (error) {
    console.warn("transport 'mqtt' needs the package mqtt: npm install mqtt, or give it as `mqtt`.", error)
    throw error
  }
}

function isMqtt(value: unknown): value is MqttLike {
  return typeof (value as Partial<MqttLike> | undefined)?.connect === 'function'
}

async function importPackage(): Promise<unknown> {
  // Bundlers find it where it is installed; webpack would fail where it is not, and is told to leave it.
  return import(/* webpackIgnore: true */ 'mqtt')
}
