import { isReserved } from '../../access/topic-filter.ts'
import type { Principal } from '../../access/principal.ts'
import type { AedesPublish, ConnectError } from '../aedes.ts'
import type { BrokerDoor, MqttCredentials } from '../broker.ts'
import type { ConnectFacts, Peer } from './connection.ts'
import { isCleanText, topicFault } from '../mqtt-text.ts'
import type { Takeovers } from './takeovers.ts'

/** The largest payload of a last will (security row 11). */
export const WILL_BYTES = 4 * 1024
const CLIENT_ID_CHARACTERS = 256
/** MQTT 3.1 section 3.1. */
const CLIENT_ID_CHARACTERS_31 = 23

/** A CONNECT that is answered with a return code. `reason` names it in the metrics. */
export class Refusal extends Error implements ConnectError {
  readonly returnCode: 2 | 3 | 4 | 5
  readonly reason: string

  constructor(returnCode: 2 | 3 | 4 | 5, reason: string, message: string) {
    super(message)
    this.returnCode = returnCode
    this.reason = reason
  }
}

export interface Admission {
  readonly principal: Principal
  /** `{principal}/{client id}`: an id belongs to its principal alone (security row 12). Principals' ids have no `/`. */
  readonly sessionId: string
  /** The will to keep, if any: a bridge's notification is admitted and dropped. */
  readonly will: AedesPublish | null
}

export interface AdmissionContext {
  readonly door: BrokerDoor
  readonly takeovers: Takeovers
  /** Whether a connection has this session id. */
  readonly connected: (sessionId: string) => boolean
  readonly now: () => number
  /** For clients that give no id. */
  readonly anonymousId: () => string
}

/** Decides on a CONNECT. Throws a {@link Refusal}; whoever is connected under the same id is not touched by one. */
export async function admit(
  context: AdmissionContext,
  connect: ConnectFacts,
  credentials: MqttCredentials,
): Promise<Admission> {
  const { clientId } = connect
  const idFault = clientIdFault(connect)
  if (idFault !== null) throw new Refusal(2, 'client_id', idFault)
  const principal = await context.door.authenticate(credentials)
  if (!principal) throw wrongCredentials(credentials)
  const will = admitWill(context.door, principal, connect.will)
  const sessionId = `${principal.id}/${clientId === '' ? context.anonymousId() : clientId}`
  if (!context.takeovers.admit(sessionId, context.connected(sessionId), context.now()))
    throw new Refusal(
      2,
      'takeover',
      'this client id was taken over too often; give every device an id of its own',
    )
  return { principal, sessionId, will }
}

function clientIdFault({ clientId, clean, protocolVersion }: ConnectFacts) {
  if (clientId === '' && !clean) return 'a client without an id needs a clean session [MQTT-3.1.3-8]'
  const longest = protocolVersion === 3 ? CLIENT_ID_CHARACTERS_31 : CLIENT_ID_CHARACTERS
  return clientId.length > longest ? `the client id is longer than ${longest} characters` : null
}

function wrongCredentials(given: MqttCredentials): Refusal {
  const missing =
    given.username === null && given.password === null && given.ticket === null && given.cookie === null
  return missing
    ? new Refusal(5, 'auth.missing', 'no credentials were given')
    : new Refusal(4, 'auth.invalid', 'the credentials are wrong')
}

function admitWill(door: BrokerDoor, principal: Principal, will: AedesPublish | null) {
  if (!will) return null
  if (will.topic.startsWith('$SYS/broker/connection/')) return null
  const fault = topicFault(will.topic) ?? (/[+#]/.test(will.topic) ? 'the topic has wildcards' : null)
  if (fault !== null || will.qos > 2)
    throw new Refusal(5, 'will', `the will cannot be taken: ${fault ?? 'QoS'}`)
  if (isReserved(will.topic) || !door.mayPublish(principal, will.topic))
    throw new Refusal(5, 'will', `the will's topic may not be published to: ${will.topic}`)
  if (will.payload.length > WILL_BYTES) throw new Refusal(5, 'will', `the will is over ${WILL_BYTES} bytes`)
  return will
}

/** What the door is asked with. A password that is not UTF-8 is nobody's. */
export function credentialsOf(
  username: string | undefined,
  password: Buffer | undefined,
  peer: Peer,
): MqttCredentials {
  return {
    username: username ?? null,
    password: password?.toString() ?? null,
    remoteAddress: peer.remoteAddress,
    ticket: peer.ticket,
    cookie: peer.cookie,
  }
}

/** Ids that would be seen in logs and on screens as something else, or broke them, are not answered at all (security row 14). */
export function isUsableClientId(clientId: string): boolean {
  return isCleanText(clientId)
}
