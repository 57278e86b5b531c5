import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'

export type DeviceOptions = Pick<
  IClientOptions,
  'clientId' | 'clean' | 'username' | 'password' | 'protocolVersion' | 'manualConnect'
>

export interface Received {
  readonly topic: string
  /** Parsed JSON; null when the payload is empty. */
  readonly body: Readonly<Record<string, unknown>> | null
  readonly retain: boolean
}

/** A real MQTT client that keeps what it receives. */
export interface Device {
  readonly mqtt: MqttClient
  readonly received: readonly Received[]
  /** What came on topics that begin like this. */
  on(prefix: string): readonly Received[]
  /** The granted QoS, 128 for a refusal. */
  subscribe(filter: string, qos?: 0 | 1): Promise<number>
  publish(topic: string, body: unknown, qos?: 0 | 1 | 2): Promise<void>
  /** Resolves with the first message that fits, also an earlier one. The test's time limit is its own. */
  first(fits: (message: Received) => boolean): Promise<Received>
  /** Resolves when this many messages came on topics that begin like this. */
  count(prefix: string, count: number): Promise<readonly Received[]>
  /** Everything that the program has for this connection by now has arrived. */
  caughtUp(): Promise<void>
  end(): Promise<void>
}

let names = 0

/** Connects; rejects when the server refuses. */
export async function connectDevice(
  url: string,
  options: DeviceOptions,
  quiet: () => Promise<void>,
): Promise<Device> {
  const client = mqtt.connect(url, {
    protocolVersion: 4,
    clientId: `device-${process.pid}-${names++}`,
    reconnectPeriod: 0,
    keepalive: 0,
    ...options,
  })
  const received: Received[] = []
  const looks = new Set<() => void>()
  client.on('message', (topic, payload, packet) => {
    const text = payload.toString()
    received.push({
      topic,
      retain: packet.retain,
      body: text === '' ? null : (JSON.parse(text) as Received['body']),
    })
    for (const look of looks) look()
  })
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
    client.once('close', () => reject(new Error('the connection was closed before CONNACK')))
  })
  client.on('error', () => {})

  let closed = false
  client.once('close', () => {
    closed = true
    for (const look of looks) look()
  })

  /** Resolves as soon as `find` finds something; rejects when the connection ends before. */
  const until = <T>(find: () => T | undefined) =>
    new Promise<T>((resolve, reject) => {
      const look = () => {
        const found = find()
        if (found !== undefined) resolve(found)
        else if (closed)
          reject(new Error(`the connection was closed; so far came ${JSON.stringify(received)}`))
        else return
        looks.delete(look)
      }
      looks.add(look)
      look()
    })
  const on = (prefix: string) => received.filter(({ topic }) => topic.startsWith(prefix))
  const ping = () =>
    new Promise<void>((resolve) => {
      const heard = (packet: { readonly cmd: string }) => {
        if (packet.cmd !== 'pingresp') return
        client.off('packetreceive', heard)
        resolve()
      }
      client.on('packetreceive', heard)
      client.sendPing()
    })

  return {
    mqtt: client,
    received,
    on,
    async subscribe(filter, qos = 1) {
      // The library calls a refusal an error; here it is an answer.
      return new Promise((resolve) => {
        client.subscribe(filter, { qos }, (error, granted) =>
          resolve(error ? 128 : (granted?.[0]?.qos ?? 128)),
        )
      })
    },
    async publish(topic, body, qos = 1) {
      await client.publishAsync(topic, typeof body === 'string' ? body : JSON.stringify(body), { qos })
    },
    first: (fits) => until(() => received.find(fits)),
    count: (prefix, count) => until(() => (on(prefix).length >= count ? on(prefix) : undefined)),
    async caughtUp() {
      for (let round = 0; round < 2; round++) {
        await quiet()
        await ping()
      }
    },
    end: () => client.endAsync(true),
  }
}
