import type { Publish } from './publish.ts'

/** Contract section 4. */
export const PAYLOAD_LIMIT = 128 * 1024

/** What a publisher may name a message. */
export const MESSAGE_ID = /^[A-Za-z0-9._:-]{1,128}$/

/** The message at hand, as far as the door knows it. */
export interface Arrival {
  readonly publish: Publish
  readonly messageId: string
  /** Whether the publisher named the message, so that a resend is harmless for a day (promise P3). */
  readonly named: boolean
  /** Under which the message counts once, where that is not its id: the second appearance of a scheduled one. */
  readonly onceKey?: string
  readonly now: number
  /** To be called once everything this publish writes is queued in the store. */
  readonly submitted: () => void
}
