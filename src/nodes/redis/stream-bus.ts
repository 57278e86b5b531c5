import type { Log } from '../../log.ts'
import { systemClock } from '../../clock.ts'
import { BEGINNING, type Bus, type BusMessage } from '../bus.ts'
import { RedisLink } from './link.ts'
import { STREAM } from './keys.ts'

/** Messages that are kept for nodes that are cut off, about. */
const KEPT_MESSAGES = 20_000
const READ_AT_ONCE = 500
const BLOCK_MS = 1000
/** More than a read may block. */
const READ_MS = 4000
const AGAIN_MS = 100

export interface StreamBusOptions {
  readonly node: string
  readonly url: string
  readonly log: Log
  /** Shared with others that write, so that all writes of a node keep their order. */
  readonly writer: RedisLink
}

/**
 * The {@link Bus} over Redis: one stream (XADD, XREAD), because a node that lost its connection goes on where it was,
 * which publish/subscribe cannot; and because ids of a stream grow over a flush and a restart of the server, too.
 */
export async function createStreamBus(options: StreamBusOptions): Promise<Bus> {
  const { node, log, writer } = options
  const clock = systemClock()
  const reader = new RedisLink({ url: options.url, log, name: 'bus', commandMs: READ_MS })
  const listeners = new Map<string, ((message: BusMessage) => void)[]>()
  const looks: (() => void)[] = []
  let position = BEGINNING
  let begun = false
  let closed = false

  const tell = (message: BusMessage) => {
    for (const listener of listeners.get(message.kind) ?? []) {
      try {
        listener(message)
      } catch (error) {
        log.error({ err: error, kind: message.kind }, 'a message of another node could not be handled')
      }
    }
  }
  /** From the end on: what was said before this node began is in the store, where it looks first. */
  const begin = async () => {
    const [newest] = entriesOf(await reader.call('XREVRANGE', STREAM, '+', '-', 'COUNT', 1))
    position = newest?.id ?? position
    begun = true
  }
  const readOn = async () => {
    if (!begun) await begin()
    const reply = await reader.call(
      'XREAD',
      'COUNT',
      READ_AT_ONCE,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      STREAM,
      position,
    )
    if (!Array.isArray(reply)) return
    // One stream was asked for, so one is answered: its name and its entries.
    const [[, entries]] = reply as [[unknown, unknown]]
    for (const { id, fields } of entriesOf(entries)) {
      position = id
      const message = messageOf(id, fields)
      if (message) tell(message)
    }
  }
  const pause = () => new Promise<void>((resolve) => void clock.at(clock.now() + AGAIN_MS, resolve))
  const follow = async () => {
    let missed = false
    while (!closed) {
      try {
        await readOn()
        if (missed) for (const look of looks) look()
        missed = false
      } catch {
        missed = begun
        if (!closed) await pause()
      }
    }
  }
  await reader.open(READ_MS)
  if (reader.up) await begin().catch(() => {})
  const following = follow()

  return {
    node,
    shared: true,
    get up() {
      return writer.up && reader.up
    },
    async send(kind, body, payload) {
      await writer.call(
        'XADD',
        STREAM,
        'MAXLEN',
        '~',
        KEPT_MESSAGES,
        '*',
        ...fieldsOf(node, { kind, body, payload }),
      )
    },
    hear: (kind, listener) => void listeners.set(kind, [...(listeners.get(kind) ?? []), listener]),
    onGap: (look) => void looks.push(look),
    get position() {
      return position
    },
    async close() {
      closed = true
      reader.close()
      await following
    },
  }
}

/** What one entry of the stream holds, in the order in which {@link messageOf} reads it. */
function fieldsOf(
  node: string,
  { kind, body, payload }: { kind: string; body: BusMessage['body']; payload: Uint8Array | undefined },
): (string | Uint8Array)[] {
  return ['n', node, 'k', kind, 'b', JSON.stringify(body), ...(payload ? ['p', payload] : [])]
}

/** An entry of a stream: its id, and its fields and values in turn. */
export interface StreamEntry {
  readonly id: string
  readonly fields: readonly Buffer[]
}

/** The entries of an answer to XRANGE. */
export function entriesOf(reply: unknown): readonly StreamEntry[] {
  if (!Array.isArray(reply)) return []
  // The shape is that of the command (RESP 2).
  return (reply as [Buffer, Buffer[]][]).map(([id, fields]) => ({ id: id.toString(), fields }))
}

/** Null for what no node of this program has written. */
export function messageOf(position: string, fields: readonly Buffer[]): BusMessage | null {
  const [, from, , kind, , body, , payload] = fields
  if (from === undefined || kind === undefined || body === undefined) return null
  try {
    return {
      from: from.toString(),
      kind: kind.toString(),
      body: JSON.parse(body.toString()) as BusMessage['body'],
      payload: payload ?? new Uint8Array(),
      position,
    }
  } catch {
    return null
  }
}
