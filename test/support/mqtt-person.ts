import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { eventually } from './eventually.ts'
import type { Program } from './program.ts'

export interface Heard {
  readonly topic: string
  readonly text: string
  /** The payload as JSON; empty when it is none. */
  readonly json: Readonly<Record<string, unknown>>
  readonly retain: boolean
  readonly at: number
}

export interface MqttOptions {
  readonly username?: string
  readonly password?: string
  readonly clientId?: string
  readonly clean?: boolean
  readonly overWebSocket?: boolean
  /** What follows `/mqtt` in the WebSocket's URL. */
  readonly query?: string
  readonly more?: IClientOptions
}

/** One real MQTT 3.1.1 connection that writes down what it hears. */
export class MqttPerson {
  readonly client: MqttClient
  readonly heard: Heard[] = []
  #closed = false

  private constructor(client: MqttClient) {
    this.client = client
    client.on('message', (topic, payload, packet) => {
      const text = payload.toString()
      this.heard.push({ topic, text, json: parse(text), retain: packet.retain, at: Date.now() })
    })
    client.on('close', () => (this.#closed = true))
    client.on('error', () => {})
  }

  /** Resolves after the CONNACK. Rejects with an error whose `code` is the return code of a refusal. */
  static async connect(program: Program, options: MqttOptions = {}): Promise<MqttPerson> {
    const { username, password, clientId, clean = true, overWebSocket = false, query = '' } = options
    const url = overWebSocket
      ? `ws://127.0.0.1:${program.httpPort}/mqtt${query}`
      : `mqtt://127.0.0.1:${program.mqttPort}`
    const client = mqtt.connect(url, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      clean,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(clientId !== undefined && { clientId }),
      ...options.more,
    })
    const person = new MqttPerson(client)
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve())
      client.once('error', reject)
      client.once('close', () => reject(new Error('the connection was closed before the CONNACK')))
    })
    return person
  }

  get closed(): boolean {
    return this.#closed
  }

  /** The granted QoS, 128 for a refusal. */
  async subscribe(filter: string, qos: 0 | 1 | 2 = 1): Promise<number> {
    return new Promise((resolve, reject) => {
      this.client.subscribe(filter, { qos }, (error, _granted, packet) => {
        const [code] = (packet as { granted?: number[] } | undefined)?.granted ?? []
        if (code !== undefined) resolve(code)
        else reject(error ?? new Error('no SUBACK'))
      })
    })
  }

  /** Resolves once it is acknowledged as its QoS asks for. Anything but text goes as JSON. */
  async publish(topic: string, payload: unknown = {}, qos: 0 | 1 | 2 = 1): Promise<void> {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
    await this.client.publishAsync(topic, text, { qos })
  }

  /** What was heard on exactly this topic. */
  on(topic: string): Heard[] {
    return this.heard.filter((message) => message.topic === topic)
  }

  /** The first message that fits, whether it is here already or still comes. */
  hear(what: string, fits: (message: Heard) => boolean, withinMs?: number): Promise<Heard> {
    return eventually(what, () => this.heard.find(fits), withinMs)
  }

  /** Resolves once the connection was closed by the other side. */
  async dropped(): Promise<void> {
    await eventually('the end of the connection', () => this.#closed || undefined)
  }

  /** Ends in order, with a DISCONNECT. */
  async close(): Promise<void> {
    await this.client.endAsync(this.#closed)
  }
}

function parse(text: string): Heard['json'] {
  try {
    return JSON.parse(text) as Heard['json']
  } catch {
    return {}
  }
}
