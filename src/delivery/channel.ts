import type { Delivery, FixedContent } from './delivery.ts'
import type { ChannelName } from './delivery.ts'
import type { Alert } from '../alert/alert.ts'
import type { Notification } from '../notification/notification.ts'

/** What a person can be reached by, as the directory knows it. */
export interface Recipient {
  readonly id: string
  readonly name: string
  readonly email?: string
  readonly phone?: string
  /** The private chat of the person with the bot; the same number as their Telegram user id. */
  readonly telegramChatId?: number
  readonly locale: string
  readonly timezone: string
}

/** What there is to say, before a channel gives it its form. */
export type Subject =
  | { readonly kind: 'notification'; readonly notification: Notification }
  | { readonly kind: 'alert'; readonly alert: Alert }
  | { readonly kind: 'direct' }

/** A message in its final form: exactly what is sent, and what the outbox shows. */
export interface Rendered {
  readonly subject?: string
  readonly text: string
  readonly html?: string
  readonly actions: readonly { readonly id: string; readonly label: string; readonly url?: string }[]
  readonly segments?: number
}

export interface RenderInput {
  readonly delivery: Delivery
  readonly subject: Subject
  readonly recipient: Recipient | null
  readonly fixed: FixedContent | null
  /** Origin of links, for example `http://localhost:8080`. */
  readonly publicUrl: string
}

/**
 * What one attempt came to. `retry` false is final (promise P7); `ambiguous` says that the provider may have taken
 * it (a time-out after the request was written). `retryAfterMs` is the provider's own wish.
 * `untried`: no provider could be asked now; it counts as no attempt, and `retryAfterMs` is when one can.
 */
export type SendResult =
  | { readonly ok: true; readonly providerId?: string }
  | {
      readonly ok: false
      readonly retry: boolean
      readonly code: string
      readonly reason: string
      readonly retryAfterMs?: number
      readonly ambiguous?: boolean
      readonly untried?: boolean
    }

/**
 * A way to reach somebody: one file beside `channels/index.ts`, one line in it.
 *
 * `send` makes exactly one attempt: it never throws for a failure that can be expected, never loops, never logs a
 * secret, and gives up when `signal` aborts. Retry, pacing, timing, metrics and capture are the caller's.
 */
export interface Channel {
  readonly name: ChannelName
  /** Targets that may be slow or dead each by itself; each gets a lane of its own (promise P24). None: one for all. */
  readonly targets?: readonly string[]
  /** To which of them a message to this address goes; null when to none. Pure. */
  target?(address: string): string | null
  /** Where this channel would reach the person, or null when it cannot. Pure. */
  address(recipient: Recipient): string | null
  /** Gives the message the channel's form. Pure, and total: it must not throw on any content. */
  render(input: RenderInput): Rendered
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendResult>
  close(): Promise<void>
}

export interface OutgoingMessage {
  /** The delivery's id: the same on every attempt (promise P8). */
  readonly idempotencyKey: string
  readonly address: string
  readonly rendered: Rendered
  /** The alert that the message is about: what an answer to it acts on. */
  readonly alertId?: string
  readonly critical: boolean
}

/** `live` sends, `captured` keeps in the outbox instead, `both` does both. */
export type ChannelMode = 'live' | 'captured' | 'both'
