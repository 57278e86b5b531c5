import { connect, type Socket } from 'node:net'
import { connectPacket, PacketCutter, PublishTemplate, type Credentials } from './packets.ts'

const CONNACK = 2
const PUBACK = 4
const HIGHEST_ID = 0xffff

export interface PublisherOptions {
  readonly port: number
  readonly clientId: string
  readonly credentials: Credentials | null
  readonly topic: string
  readonly body: string
  /** The first of its sequence numbers; those that follow count up. */
  readonly firstSequence: number
}

/** One connection that publishes at QoS 1 and takes the time until each acknowledgement. */
export class Publisher {
  /** Called with the milliseconds from when a message was due to its PUBACK. */
  onAcknowledged: (latencyMs: number) => void = () => {}
  onFailed: (error: Error) => void = () => {}
  readonly #options: PublisherOptions
  readonly #template: PublishTemplate
  readonly #socket: Socket
  readonly #cutter = new PacketCutter()
  /** When the message of each packet identifier was due; 0 for identifiers that are free. */
  readonly #dueAt = new Float64Array(HIGHEST_ID + 1)
  #nextId = 1
  #sequence: number
  #onConnected: () => void = () => {}

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#template = new PublishTemplate(options.topic, options.body)
    this.#sequence = options.firstSequence
    this.#socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (chunk) => this.#read(chunk))
    this.#socket.on('error', (error) => this.onFailed(error))
    this.#socket.on('close', () =>
      this.onFailed(new Error('the server closed the connection of a publisher')),
    )
  }

  /** Resolves after the CONNACK. */
  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onConnected = resolve
      this.onFailed = reject
      this.#socket.write(connectPacket(this.#options.clientId, this.#options.credentials))
    })
  }

  /** Writes so many messages at once, all of them due at `dueAt`. */
  publish(count: number, dueAt: number): void {
    const size = this.#template.bytes.length
    const bytes = Buffer.allocUnsafe(count * size)
    for (let index = 0; index < count; index++) {
      const id = this.#nextId
      if (this.#dueAt[id] !== 0) return this.onFailed(new Error('all packet identifiers are in use'))
      this.#nextId = id === HIGHEST_ID ? 1 : id + 1
      this.#dueAt[id] = dueAt
      this.#template.writeTo(bytes, index * size, id, this.#sequence++)
    }
    this.#socket.write(bytes)
  }

  close(): void {
    this.onFailed = () => {}
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    const now = performance.now()
    this.#cutter.push(chunk, (head, body) => {
      if (head >> 4 === CONNACK) {
        if (body[1] === 0) this.#onConnected()
        else this.onFailed(new Error(`the server refused a publisher with code ${body[1]}`))
        return
      }
      if (head >> 4 !== PUBACK) return
      const id = body.readUInt16BE(0)
      const dueAt = this.#dueAt[id] ?? 0
      if (dueAt === 0) return this.onFailed(new Error(`packet ${id} was acknowledged twice`))
      this.#dueAt[id] = 0
      this.onAcknowledged(now - dueAt)
    })
  }
}
