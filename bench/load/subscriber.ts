import { connect, type Socket } from 'node:net'
import { connectPacket, PacketCutter, subscribePacket, type Credentials } from './packets.ts'

const CONNACK = 2
const PUBLISH = 3
const SUBACK = 9

export interface SubscriberOptions {
  readonly port: number
  readonly clientId: string
  readonly credentials: Credentials | null
  readonly filter: string
}

/** One connection that takes messages at QoS 1 and acknowledges them. */
export class Subscriber {
  received = 0
  readonly #options: SubscriberOptions
  readonly #socket: Socket
  readonly #cutter = new PacketCutter()
  #onReady: () => void = () => {}
  #onFailed: (error: Error) => void = () => {}

  constructor(options: SubscriberOptions) {
    this.#options = options
    this.#socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (chunk) => this.#read(chunk))
    this.#socket.on('error', (error) => this.#onFailed(error))
  }

  /** Resolves after the SUBACK. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onReady = resolve
      this.#onFailed = reject
      this.#socket.write(connectPacket(this.#options.clientId, this.#options.credentials))
    })
  }

  close(): void {
    this.#onFailed = () => {}
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    const acknowledgements: number[] = []
    this.#cutter.push(chunk, (head, body) => {
      const kind = head >> 4
      if (kind === CONNACK) {
        if (body[1] === 0) this.#socket.write(subscribePacket(this.#options.filter, 1))
        else this.#onFailed(new Error(`the server refused a subscriber with code ${body[1]}`))
      } else if (kind === SUBACK) {
        if (body[2] === 0x80) this.#onFailed(new Error('the server refused a subscription'))
        else this.#onReady()
      } else if (kind === PUBLISH) {
        this.received++
        if ((head & 0x06) === 0) return
        const idAt = 2 + body.readUInt16BE(0)
        acknowledgements.push(0x40, 2, body[idAt] ?? 0, body[idAt + 1] ?? 0)
      }
    })
    if (acknowledgements.length > 0) this.#socket.write(Buffer.from(acknowledgements))
  }
}
