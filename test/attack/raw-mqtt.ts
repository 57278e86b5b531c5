import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What a CONNECT carries; text fields may be bytes, so that they need not be UTF-8. */
export interface RawConnect {
  readonly clientId?: string | Uint8Array
  readonly username?: string
  readonly password?: string
  readonly clean?: boolean
  readonly will?: {
    readonly topic: string | Uint8Array
    readonly payload: string
    readonly qos?: number
    readonly retain?: boolean
  }
}

/** A packet of MQTT 3.1.1 with a correct length, whatever else is wrong with it. */
export function packet(head: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const length: number[] = []
  for (let rest = body.length; ; rest = Math.floor(rest / 128)) {
    length.push(rest >= 128 ? (rest % 128) | 0x80 : rest)
    if (rest < 128) break
  }
  return Buffer.concat([Buffer.from([head, ...length]), body])
}

/** Two bytes of length, then the text or the bytes. */
export function field(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([word(bytes.length), bytes])
}

export function word(value: number): Buffer {
  return Buffer.from([(value >> 8) & 0xff, value & 0xff])
}

export function connectPacket({ clientId = '', username, password, clean = true, will }: RawConnect): Buffer {
  const flags =
    (clean ? 2 : 0) |
    (username === undefined ? 0 : 0x80) |
    (password === undefined ? 0 : 0x40) |
    (will ? 4 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0) : 0)
  return packet(
    0x10,
    field('MQTT'),
    Buffer.from([4, flags, 0, 60]),
    field(clientId),
    ...(will ? [field(will.topic), field(will.payload)] : []),
    ...(username === undefined ? [] : [field(username)]),
    ...(password === undefined ? [] : [field(password)]),
  )
}

export function publishPacket(
  topic: string | Uint8Array,
  payload: string | Uint8Array,
  qos = 0,
  id = 1,
  retain = false,
): Buffer {
  return packet(
    0x30 | (qos << 1) | (retain ? 1 : 0),
    field(topic),
    ...(qos > 0 ? [word(id)] : []),
    Buffer.from(payload),
  )
}

export function subscribePacket(
  filters: readonly (readonly [string | Uint8Array, number])[],
  id = 1,
): Buffer {
  return packet(0x82, word(id), ...filters.flatMap(([filter, qos]) => [field(filter), Buffer.from([qos])]))
}

/** A socket that speaks bytes and collects whole packets. */
export class RawMqtt {
  readonly packets: Buffer[] = []
  readonly closed: Promise<void>
  readonly socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #heard = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve()
        this.#heard()
      })
    })
  }

  static async open(port: number): Promise<RawMqtt> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new RawMqtt(socket)
  }

  send(...bytes: readonly Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(bytes))
  }

  /** Resolves with the first packet of this type that has come or comes, and takes it away; null when the socket closes instead. */
  async next(type: number): Promise<Buffer | null> {
    for (;;) {
      const index = this.packets.findIndex((each) => (each[0] ?? 0) >> 4 === type)
      if (index >= 0) return this.packets.splice(index, 1)[0] ?? null
      if (this.socket.destroyed) return null
      await new Promise<void>((resolve) => (this.#heard = resolve))
    }
  }

  /** The CONNACK's return code, or null when the socket closed without one. */
  async connect(options: RawConnect): Promise<number | null> {
    this.send(connectPacket(options))
    return (await this.next(2))?.[3] ?? null
  }

  end(): void {
    this.socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (;;) {
      let length = 0
      let at = 1
      for (let shift = 0; ; shift += 7) {
        const byte = this.#rest[at++]
        if (byte === undefined) return
        length += (byte & 0x7f) * 2 ** shift
        if (byte < 0x80) break
      }
      if (this.#rest.length < at + length) return
      this.packets.push(this.#rest.subarray(0, at + length))
      this.#rest = this.#rest.subarray(at + length)
      this.#heard()
    }
  }
}
