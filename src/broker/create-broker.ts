import type { Server as HttpServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { createAedes } from './aedes.ts'
import type { Broker } from './broker.ts'
import type { BrokerOptions } from './broker-options.ts'
import { ConnectionLimits } from './entrance/connection-limits.ts'
import type { Connection, Peer } from './entrance/connection.ts'
import { Front } from './entrance/front.ts'
import { Intake } from './entrance/intake.ts'
import { listenTcp, type TcpListener } from './entrance/listen-tcp.ts'
import { listenWebSocket } from './entrance/listen-websocket.ts'
import { guardPackets } from './entrance/packet-gate.ts'

/** A CONNECT has to be complete by then, however slowly it drips in (security row 15). */
const CONNECT_MS = 10_000
/** One line about connections that had no room, at most this often. */
const FLOOD_LOG_MS = 10_000
/** How long a peer has to take its last acknowledgements when the broker closes. */
const FLUSH_MS = 1000

/**
 * Starts the embedded broker, listening nowhere yet, with the sessions, retained messages and queues that the
 * persistence has kept; without one they end with the process. Nothing that comes from a socket makes it throw or exit.
 */
export async function createBroker(options: BrokerOptions): Promise<Broker> {
  const { clock, log, metrics, limits } = options
  const open = new Set<Connection>()
  const counts = new ConnectionLimits(limits)
  const front = new Front(options, counts)
  await front.lasting.restore()
  const aedes = await createAedes(front.hooks)
  front.clients = aedes.clients
  const stops: (() => void)[] = []
  let closing = false
  let nextFloodLogAt = 0

  const hasRoom = (remoteAddress: string): boolean => {
    const fault = closing ? 'stopping' : counts.fault(remoteAddress)
    if (fault === null) return true
    metrics.refusals.inc({ reason: fault })
    if (clock.now() >= nextFloodLogAt) {
      nextFloodLogAt = clock.now() + FLOOD_LOG_MS
      log.warn(
        { reason: fault, remote_address: remoteAddress, open: counts.count },
        'mqtt connection refused',
      )
    }
    return false
  }

  const accept = (conn: Duplex, peer: Peer): void => {
    if (!hasRoom(peer.remoteAddress)) {
      conn.on('error', () => {})
      conn.destroy()
      return
    }
    const leave = counts.enter(peer.remoteAddress)
    metrics.connections.inc({ transport: peer.transport })
    const gate = guardPackets(conn, {
      onPackets: () => (connection.lastPacketAt = clock.now()),
      full: () => connection.intake.full,
    })
    const client = aedes.handle(conn)
    const connection: Connection = {
      client,
      conn,
      peer,
      gate,
      intake: new Intake(front.intakeOptions(client)),
      endings: [],
      leave: () => {},
      inTime: () => {},
      connect: null,
      will: null,
      principal: null,
      session: null,
      claimed: new Set(),
      storedFilters: new Map(),
      willSaid: false,
      outbound: null,
      live: null,
      lastPacketAt: clock.now(),
      explained: false,
    }
    guardParser(client)
    open.add(connection)
    front.add(connection)
    connection.inTime = clock.at(clock.now() + CONNECT_MS, () =>
      conn.destroy(new Error('no CONNECT came in time')),
    )
    connection.endings.push(connection.inTime)
    conn.once('close', () => {
      open.delete(connection)
      leave()
      metrics.connections.dec({ transport: peer.transport })
      front.end(connection)
    })
  }

  return {
    publish: (topic, payload, { retain = false, qos = 0, tenant = null, passing = false } = {}) =>
      void front.publish({ topic, payload: Buffer.from(payload), qos, retain, passing }, tenant),
    publishKept: (topic, payload, { retain = false, qos = 0, tenant = null, passing = false } = {}) =>
      front.publish({ topic, payload: Buffer.from(payload), qos, retain, passing }, tenant),
    wanted: (topic) => front.wanted(topic),
    hears: (principalId, topic) => front.hears(principalId, topic),
    revoke: (principalId) => {
      for (const { principal, conn } of open)
        if (principal?.id === principalId) conn.destroy(new Error('the access was revoked'))
      front.revoke(principalId)
    },
    takeOver: (node) => front.takeOver(node),
    renew: (lost) => front.renew(lost),
    get servedTo() {
      return front.lasting.servedTo
    },
    async listen(host, port) {
      const listener: TcpListener = await listenTcp({ host, port }, log, accept)
      stops.push(() => listener.stop())
      return listener.port
    },
    attachTo(server: HttpServer) {
      const stop = listenWebSocket(server, {
        originAllowed: options.originAllowed ?? (() => false),
        addressOf: options.addressOf ?? ((request) => request.socket.remoteAddress ?? ''),
        hasRoom,
        accept,
      })
      stops.push(stop)
    },
    get connections() {
      return counts.count
    },
    async close(graceMs) {
      if (closing) return
      closing = true
      for (const stop of stops) stop()
      const deadline = clock.now() + graceMs
      for (const connection of open) {
        // A restart is not the death of the device: its will stays unsaid [MQTT-3.1.2-8, "server shutdown"].
        connection.client.will = null
        front.lasting.forgetWill(connection)
        connection.client.pause()
      }
      await Promise.race([front.settled(), until(clock, deadline)])
      await Promise.race([flushed([...open]), until(clock, Math.min(deadline, clock.now() + FLUSH_MS))])
      front.lasting.close()
      await aedes.close()
      for (const { conn } of open) conn.destroy()
    },
  }
}

/** A packet that the parser trips over ends its own connection, not the process (security row 14). */
function guardParser({ _parser: parser, conn }: Connection['client']): void {
  const parse = parser.parse.bind(parser)
  parser.parse = (chunk) => {
    try {
      return parse(chunk)
    } catch (error) {
      conn.destroy(error instanceof Error ? error : new Error(String(error)))
      return 0
    }
  }
}

function until(clock: BrokerOptions['clock'], at: number): Promise<void> {
  return new Promise((resolve) => void clock.at(at, resolve))
}

/** Ends every connection after what was written to it has left. */
async function flushed(connections: readonly Connection[]): Promise<void> {
  // Acknowledgements that were just decided on are written on the next turns.
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
  await Promise.all(
    connections.map(
      ({ conn }) =>
        new Promise<void>((resolve) => {
          if (conn.destroyed) resolve()
          else conn.once('close', resolve).end(() => conn.destroy())
        }),
    ),
  )
}
