import type { TenantId } from '../access/principal.ts'
import type { Alert } from '../alert/alert.ts'
import type { OutcomeKind } from '../alert/outcome/outcome-of.ts'
import type { Notification } from '../notification/notification.ts'
import type { InboxReader } from '../store/store.ts'

/** What one connection wants of a person's live topics. */
export interface LiveInterest {
  readonly notifications: boolean
  readonly alerts: boolean
  readonly unread: boolean
}

/**
 * One connection of a person, whatever its transport. Lives until `detach`.
 */
export interface LiveSink {
  /**
   * Hands over one frame. False: there is no room now, the frame was not taken; the sink calls `roomy` of its
   * attachment once there is. `confirmed` is called when the device has it: on PUBACK at QoS 1, when the bytes left
   * at QoS 0; never when the connection ends first.
   */
  send(frame: LiveFrame, confirmed: () => void): boolean
  /** Whether `confirmed` is proof of arrival (QoS 1) or only of sending (QoS 0). */
  readonly proves: boolean
}

/** What an alert came to, and through whom. */
export interface LiveOutcome {
  readonly kind: OutcomeKind
  readonly by: string
}

export interface LiveFrame {
  /** What it is, for transports that name events; `topic` for those that have topics. */
  readonly kind: 'notification' | 'alert' | 'unread'
  readonly topic: string
  readonly payload: string
  readonly retain: boolean
  /** What a frame of this kind was made of. */
  readonly notification?: Notification
}

export interface LiveAttachment {
  /** The sink has room again. */
  roomy(): void
  /** The subscriptions of the connection have changed. What was wanted before is not replayed again. */
  want(interest: LiveInterest): void
  detach(): void
}

/**
 * The one fan-out to people who are connected (decision 6): first everything unread in the order of the inbox, then
 * what comes, each once per connection, nothing between the two missing. A slow connection holds no memory here: it
 * is a cursor into the inbox.
 */
export interface Live {
  /** `after`: the device has everything up to this `seq`, and is told nothing of it again. */
  attach(reader: InboxReader, interest: LiveInterest, sink: LiveSink, after?: number): LiveAttachment
  /** Whether the person has a connection that wants notifications. */
  online(userId: string): boolean
  /** A notification was stored: pass it on to whom it concerns. Must be called in the order of `seq`. */
  stored(notification: Notification): void
  /**
   * Another node has stored entries up to this `seq`: for this person, or for many when `userId` is null, or nobody
   * knows what, when `tenant` is null as well. Connections read on from where they are.
   */
  arrived(tenant: TenantId | null, userId: string | null, seq: number): void
  /** An alert pages this person on `realtime`. */
  page(alert: Alert, userId: string): void
  /**
   * What an alert that paged this person on `realtime` came to. A frame of the moment: connections that have no room
   * for it are passed by, because the board has what is open.
   */
  outcome(alert: Alert, outcome: LiveOutcome, userId: string): void
  /**
   * Something else about this person has changed: entries were read, un-read or deleted, or an alert that paged them was
   * acknowledged or resolved. Tells their unread count anew, nothing else.
   */
  changed(userId: string): void
  close(): void
}
