import type { Principal } from '../../access/principal.ts'
import type { Clock } from '../../clock.ts'
import { fault } from '../../errors.ts'
import type { Metrics } from '../../metrics.ts'
import type { InboxReader, Store } from '../../store/store.ts'
import type { Live } from '../live.ts'
import type { EventLog } from './event-log.ts'
import { parsePosition, type Position } from './position.ts'
import { instantSince, positionAt } from './since.ts'
import { Stream, type StreamSink } from './stream.ts'

/** How long a connection may have no room before it is given up. */
const SLOW_MS = 30_000

export type StreamTransport = 'ws' | 'sse' | 'poll' | 'corebanq_sse'

/** Why a stream was ended from this side. */
export type StreamEnd = 'slow' | 'expired' | 'revoked' | 'stopping'

/** One connection's place among those of its person; taken before anything is sent. */
export interface Place {
  /**
   * Begins to send. `since` is a position, an instant or a duration back from now, `latest` for nothing that is there
   * already, or undefined for everything unread. Throws `request.invalid` for a `since` that is none.
   */
  open(connection: StreamConnection): Promise<OpenStream>
  /** Gives the place back; ends the stream if there is one. Idempotent. */
  leave(): void
}

export interface StreamConnection extends StreamSink {
  readonly since: string | undefined
  readonly greeting?: Readonly<Record<string, unknown>>
  /** The transport is to close; `leave` follows from it. */
  end(reason: StreamEnd): void
}

export interface OpenStream {
  /** The transport has room again. */
  roomy(): void
}

/** The live connections of people that are not MQTT: how many there may be, and when each ends. */
export interface Streams {
  /** Throws `auth.forbidden` for machines, `stream.too_many` and `server.stopping`. */
  admit(principal: Principal, transport: StreamTransport): Place
  /** Ends every stream of a person whose access was withdrawn. */
  revoke(userId: string): void
  /** Ends all of them, and admits none any more. */
  close(): void
}

export interface StreamsOptions {
  readonly live: Live
  readonly log: EventLog
  readonly store: Pick<Store, 'inbox'>
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'connections'>
  readonly readerOf: (principal: Principal) => InboxReader
  readonly perUser: number
}

interface Held {
  readonly userId: string
  end: (reason: StreamEnd) => void
}

/** Makes the one {@link Streams} of the process. */
export function createStreams(options: StreamsOptions): Streams {
  const { clock, metrics, perUser } = options
  const places = new Set<Held>()
  const counts = new Map<string, number>()
  let closed = false

  return {
    admit(principal, transport) {
      if (principal.kind !== 'user') throw fault('auth.forbidden', 'Only people have a stream of their own')
      if (closed) throw fault('server.stopping')
      const key = `${transport} ${principal.id}`
      const count = counts.get(key) ?? 0
      if (count >= perUser) throw fault('stream.too_many')
      counts.set(key, count + 1)
      metrics.connections.inc({ transport })
      const held: Held = { userId: principal.id, end: () => {} }
      places.add(held)
      let left = false
      let close = () => {}
      return {
        async open(connection) {
          held.end = (reason) => connection.end(reason)
          const from = await startOf(options, principal, connection.since)
          if (closed) connection.end('stopping')
          if (left || closed) return { roomy: () => {} }
          const opened = openStream(options, principal, connection, from)
          close = () => opened.close()
          return opened
        },
        leave() {
          if (left) return
          left = true
          close()
          places.delete(held)
          const rest = (counts.get(key) ?? 1) - 1
          if (rest > 0) counts.set(key, rest)
          else counts.delete(key)
          metrics.connections.dec({ transport })
        },
      }
    },
    revoke(userId) {
      for (const held of places) if (held.userId === userId) held.end('revoked')
    },
    close() {
      closed = true
      for (const held of places) held.end('stopping')
    },
  }

  function openStream(
    host: StreamsOptions,
    principal: Principal,
    connection: StreamConnection,
    from: Position | null,
  ): OpenStream & { close(): void } {
    let giveUp: (() => void) | null = null
    const sink: StreamSink = {
      write(frame, flushed) {
        if (connection.write(frame, flushed)) return true
        giveUp ??= clock.at(clock.now() + SLOW_MS, () => connection.end('slow'))
        return false
      },
    }
    const { greeting } = connection
    const stream = new Stream(host, {
      reader: host.readerOf(principal),
      sink,
      from,
      ...(greeting && { greeting }),
    })
    const { expiresAt } = principal
    const expire = expiresAt === undefined ? () => {} : clock.at(expiresAt, () => connection.end('expired'))
    return {
      roomy() {
        giveUp?.()
        giveUp = null
        stream.roomy()
      },
      close() {
        giveUp?.()
        expire()
        stream.close()
      },
    }
  }
}

async function startOf(
  { store, log, clock, readerOf }: StreamsOptions,
  principal: Principal,
  since: string | undefined,
): Promise<Position | null> {
  if (since === undefined || since === '') return null
  if (since === 'latest') {
    const event = log.last
    const [newest] = await store.inbox({ ...readerOf(principal), order: 'newest', limit: 1, status: 'all' })
    return { seq: newest?.seq ?? -1, run: log.run, event }
  }
  const from = parsePosition(since)
  if (from !== null) return from
  const at = instantSince(since, clock.now())
  if (at !== null) return positionAt({ store, log }, readerOf(principal), at)
  throw fault(
    'request.invalid',
    'since is the id of a frame, an instant, a duration such as 10m, or latest',
    {
      field: 'since',
    },
  )
}
