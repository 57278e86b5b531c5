import type { TenantId } from '../access/principal.ts'
import type { Delivery, FixedContent } from './delivery.ts'
import type { ChannelName } from './delivery.ts'
import type { Alert } from '../alert/alert.ts'
import type { Notification } from '../notification/notification.ts'
import type { ProviderCall } from './attempt/attempt.ts'
import type { PushContent } from './push/push-content.ts'

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
  /** What a push carries beside title and text. */
  readonly push?: PushContent
  /** Of a call: the language that it is read in, such as `de-DE`. */
  readonly language?: string
  /** Files that the channel fetches with every attempt. */
  readonly attachments?: readonly { readonly name: string; readonly url: string }[]
  /** What channels over the embedded broker publish, where the text is only how people read it. */
  readonly frame?: Frame
}

/** A message of the embedded broker, which has many tenants on the same topics. */
export interface Frame {
  readonly payload: string
  readonly tenant: TenantId
  /** Whom it is for; null for whoever subscribes. */
  readonly userId: string | null
}

export interface RenderInput {
  readonly delivery: Delivery
  readonly subject: Subject
  readonly recipient: Recipient | null
  readonly fixed: FixedContent | null
  /** Origin of links, for example `http://localhost:8080`. */
  readonly publicUrl: string
  /** Where the recipient acts on this page without signing in; absent or null, only by signing in. */
  readonly answerUrl?: string | null
  /** What a template makes of the message, in the person's language; null leaves it as it was published. */
  readonly wording?: Wording | null
}

/** Words in the place of a message's own; what is absent or empty stays as it was published. */
export interface Wording {
  readonly title?: string
  readonly text?: string
  /** Ready markup: its values are escaped. */
  readonly html?: string
  /** The text says everything, and no title goes before it. */
  readonly alone: boolean
  /** Why a template that there is gives no words. */
  readonly failure?: WordingFailure
}

/** Told with the delivery, which went out as it was published. */
export interface WordingFailure {
  /** `template_missing_fields` where the data lack what the template shows, else `template_failed`. */
  readonly code: 'template_missing_fields' | 'template_failed'
  /** Which template, and what is wrong. */
  readonly message: string
}

/**
 * What one attempt came to. `retry` false is final (promise P7); `ambiguous` says that the provider may have taken
 * it (a time-out after the request was written). `retryAfterMs` is the provider's own wish. `suppressed` says that
 * nothing was sent because nobody would have got it: no failure, and no later attempt would say the same. `blameless`
 * says nothing about the provider: it was not asked, or the message itself was in its way. `untried`: no provider
 * could be asked now; it counts as no attempt, and `retryAfterMs` is when one can.
 */
export type SendResult = {
  /** HTTP status or SMTP reply code, where there was an answer. */
  readonly status?: number
  /** Each provider that was asked, where several stand in for each other; the last one's result is this one. */
  readonly calls?: readonly ProviderCall[]
} & (
  | { readonly ok: true; readonly providerId?: string }
  | {
      readonly ok: false
      readonly retry: boolean
      readonly code: string
      readonly reason: string
      readonly retryAfterMs?: number
      readonly ambiguous?: boolean
      readonly suppressed?: boolean
      readonly blameless?: boolean
      readonly untried?: boolean
    }
)

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
  /**
   * Where this channel would reach the person: each device, or the one mailbox or number; nowhere when it cannot.
   * Each address gets a delivery of its own. Writes nothing.
   */
  addresses(recipient: Recipient): readonly string[]
  /** Gives the message the channel's form. Pure, and total: it must not throw on any content. */
  render(input: RenderInput): Rendered
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendResult>
  /** Whose answers `send` brings, as the delivery record names it; by default the channel. */
  readonly provider?: string | undefined
  /** Asks whether the provider took a message; absent where it cannot be asked. Never throws, as `send`. */
  find?(sought: Sought, signal: AbortSignal): Promise<Finding>
  close(): Promise<void>
}

/** A message that its provider may have taken. */
export interface Sought {
  readonly message: OutgoingMessage
  /** When it was asked to take it; nothing older is it. */
  readonly since: number
  /** Ids that the provider gave to others. */
  readonly others: ReadonlySet<string>
}

/** What a provider says about a message that it may have taken (promise P9). */
export type Finding =
  | { readonly kind: 'taken'; readonly providerId: string }
  | { readonly kind: 'not_taken' }
  | { readonly kind: 'unanswered'; readonly failed: Extract<SendResult, { readonly ok: false }> }

export interface OutgoingMessage {
  /** The delivery's id: the same on every attempt (promise P8). */
  readonly idempotencyKey: string
  readonly address: string
  readonly rendered: Rendered
  /** The alert that the message is about: what an answer to it acts on. */
  readonly alertId?: string
  readonly critical: boolean
}

/** The addresses of a channel that knows one at most. */
export function oneAddress(address: string | null): readonly string[] {
  return address === null ? [] : [address]
}

/** `live` sends, `captured` keeps in the outbox instead, `both` does both. */
export type ChannelMode = 'live' | 'captured' | 'both'
