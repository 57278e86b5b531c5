import type { IncomingMessage } from 'node:http'
import type { Principal } from '../access/principal.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config/schema/schema.ts'
import type { Log } from '../log.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Metrics } from '../metrics.ts'
import type { InboxReader } from '../store/store.ts'
import type { BrokerDoor } from './broker.ts'
import type { Persistence } from './session/persistence.ts'

export interface BrokerOptions {
  readonly door: BrokerDoor
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly limits: Config['limits']
  /** Where sessions, queues, retained messages and wills outlive the process; without it they do not. */
  readonly persistence?: Persistence
  /** Where there are several: how messages and sessions get to the others. */
  readonly nodes?: Pick<Nodes, 'bus' | 'homes'> | undefined
  /** Whose inbox a person's connection reads. */
  readonly readerOf: (principal: Principal) => InboxReader
  /** Whether an upgrade request that carries a cookie comes from a page that may use it (security row 32). */
  readonly originAllowed?: (origin: string | undefined, request: IncomingMessage) => boolean
  /** The peer's address behind trusted proxies; the socket's own by default. */
  readonly addressOf?: (request: IncomingMessage) => string
  /** Told of every CONNECT that is refused for its protocol version, for `doctor` and the console. */
  readonly onRefused?: (refusal: ProtocolRefusal) => void
}

export interface ProtocolRefusal {
  readonly at: number
  readonly clientId: string
  readonly remoteAddress: string
  readonly reason: 'mqtt5'
  /** What the owner of the client can do about it. */
  readonly hint: string
}
