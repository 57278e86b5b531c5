import type { ChannelName } from '../delivery/delivery.ts'
import type { ErrorCode } from '../errors.ts'
import type { Origin } from '../notification/notification.ts'

/** One thing that happened to an accepted message. `user` is whom it concerns, `by` who acted, `via` over what. */
export interface Transition {
  readonly status: 'sent' | 'delivered' | 'seen' | 'acknowledged' | 'resolved' | 'dead'
  readonly at: number
  readonly channel?: ChannelName
  readonly user?: string
  readonly by?: string
  readonly via?: string
  readonly deliveryId?: string
  /** Why, for `dead`. */
  readonly code?: string
}

/**
 * What publishers are told on `receipts/{principal}/{message_id}` (contract section 4): first what became of the
 * publish, then each transition, in the order of the calls. Costs one question to the broker when nobody listens.
 * Nothing is stored here: a publisher that is away gets what its MQTT session queues.
 */
export interface Receipts {
  accepted(origin: Origin, result: Readonly<Record<string, unknown>>): void
  rejected(origin: Origin, code: ErrorCode, error: string): void
  moved(origin: Origin, transition: Transition): void
  /** Anything else for this principal, under an id that is no message's (R47: `rate-limit`). */
  tell(principal: string, id: string, payload: Readonly<Record<string, unknown>>): void
  /** Whether anybody would hear of this message. */
  wanted(origin: Origin): boolean
}

export function createReceipts(options: {
  /** Whether any connection or stored session could receive this topic. */
  readonly wanted: (topic: string) => boolean
  readonly publish: (topic: string, payload: string, options: { readonly qos: 1 }) => void
}): Receipts {
  const send = (topic: string, payload: () => unknown) => {
    if (options.wanted(topic)) options.publish(topic, JSON.stringify(payload()), { qos: 1 })
  }
  const topicOf = (origin: Origin) => receiptTopic(origin.principal, origin.messageId)
  return {
    accepted: (origin, result) =>
      send(topicOf(origin), () => ({
        id: origin.messageId,
        topic: origin.topic,
        status: 'accepted',
        result,
      })),
    rejected: (origin, code, error) =>
      send(topicOf(origin), () => ({
        id: origin.messageId,
        topic: origin.topic,
        status: 'rejected',
        code,
        error,
      })),
    moved: (origin, { at, deliveryId, via, ...transition }) =>
      send(topicOf(origin), () => ({
        id: origin.messageId,
        ...transition,
        // One name on the wire for what a message went over and what a person answered over (contract section 4).
        ...(via !== undefined && { channel: via }),
        at: new Date(at).toISOString(),
        ...(deliveryId !== undefined && { delivery_id: deliveryId }),
      })),
    tell: (principal, id, payload) => send(receiptTopic(principal, id), () => payload),
    wanted: (origin) => options.wanted(topicOf(origin)),
  }
}

/** As nearly all ids are; the question is cheaper than looking for each character that may not be. */
const PLAIN_ID = /^[\w.:-]*$/

/**
 * The topic of a message's receipts. Publishers choose their ids, so what no topic name may hold (`+`, `#`, control
 * characters; MQTT 3.1.1 section 4.7) is percent-encoded; the payload carries the id as it was.
 */
export function receiptTopic(principal: string, messageId: string): string {
  const id = PLAIN_ID.test(messageId)
    ? messageId
    : messageId.replace(/[+#\p{Cc}]/gu, (character) => encodeURIComponent(character))
  return `receipts/${principal}/${id}`
}
