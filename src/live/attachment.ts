import type { Alert } from '../alert/alert.ts'
import type { Clock } from '../clock.ts'
import type { Notification } from '../notification/notification.ts'
import type { InboxReader, InboxSummary, Store } from '../store/store.ts'
import { backOffMs } from './back-off.ts'
import type { Gate } from './gate.ts'
import type { LiveAttachment, LiveFrame, LiveInterest, LiveSink } from './live.ts'
import { MissedPages } from './missed-pages.ts'
import type { Progress } from './progress.ts'

/** Frames of one kind that may be on their way unconfirmed. */
export const WINDOW = 100
/** Entries read at once, at most. */
const PAGE = 100
/** How often, and how long apart, an entry is looked for that was announced and cannot be read yet. */
const MOST_LOOKS = 20
const LOOK_AGAIN_MS = 50

/** What a connection's attachment needs of the fan-out it belongs to. */
export interface AttachmentHost {
  readonly store: Pick<Store, 'inbox'>
  readonly clock: Clock
  /** Keeps page look-ups from waiting behind inbox reads. */
  readonly pageGate: Gate
  readonly inboxGate: Gate
  readonly progress: Progress
  openPagesFor(userId: string): Promise<readonly Alert[]>
  /** The JSON of a notification; encodes each only once in a row. Null when that failed. */
  encode(notification: Notification): string | null
  encodePage(alert: Alert): string | null
  visible(notification: Notification, reader: InboxReader): boolean
  storeFailed(error: unknown): void
  sinkFailed(error: unknown, reader: InboxReader): void
  interestChanged(attachment: Attachment, before: LiveInterest, now: LiveInterest): void
  gone(attachment: Attachment): void
}

const NOTHING: LiveInterest = { notifications: false, alerts: false, unread: false }

/**
 * One connection as a cursor into its person's inbox. Notifications come in ascending `seq`, each at most once, with
 * none left out: while the connection keeps up they are handed over as they are stored; when it does not, it is
 * merely `behind`, and reads on from its cursor once there is room. Pages of alerts overtake notifications.
 */
export class Attachment implements LiveAttachment {
  readonly reader: InboxReader
  interest: LiveInterest = NOTHING
  /** Number of the last broadcast that was offered; kept by the fan-out. */
  broadcastsSeen: number
  readonly #host: AttachmentHost
  readonly #sink: LiveSink
  #detached = false
  /** The highest `seq` that was handed over or passed by. */
  #cursor = -1
  /** The inbox may hold unread entries above the cursor that were not offered. */
  #behind = true
  /** Something was stored while a page was read, and may be missing from it. */
  #overtaken = false
  /** The sink said that it has no room. */
  #full = false
  #reading = false
  #inFlight = 0
  #pagesInFlight = 0
  /** How many entries to read next: about as many as the sink took last time. */
  #stride = PAGE
  #failures = 0
  /** The highest `seq` that another node spoke of, and how often it is still looked for. */
  #expected = -1
  #looks = 0
  #cancelRetry: (() => void) | null = null
  #pages: MissedPages | null = null
  #unread: InboxSummary | null = null
  #unreadSent: InboxSummary | null = null
  #unreadInFlight = false

  constructor(host: AttachmentHost, reader: InboxReader, sink: LiveSink, broadcastsSeen: number) {
    this.#host = host
    this.reader = reader
    this.#sink = sink
    this.broadcastsSeen = broadcastsSeen
  }

  /** Passes by what the device has already: everything up to this `seq`. Before `want`. */
  resume(after: number): void {
    this.#cursor = after
  }

  roomy(): void {
    if (this.#detached) return
    this.#full = false
    this.#sendUnread()
    this.#pump()
  }

  want(interest: LiveInterest): void {
    if (this.#detached) return
    const before = this.interest
    this.interest = interest
    if (interest.alerts) this.#pages ??= new MissedPages()
    // What was stored while nobody wanted it waits above the cursor.
    if (interest.notifications && !before.notifications) this.#behind = true
    if (interest.unread && !before.unread) this.#unreadSent = null
    this.#host.interestChanged(this, before, interest)
    this.#pump()
  }

  detach(): void {
    if (this.#detached) return
    this.#detached = true
    this.#cancelRetry?.()
    this.#host.gone(this)
  }

  /** A notification for this person was stored. */
  offer(notification: Notification, payload: string | null): void {
    if (!this.interest.notifications || notification.seq <= this.#cursor) return
    if (this.#behind) this.#overtaken = true
    else if (this.#full || this.#inFlight >= WINDOW) this.#behind = true
    else if (!this.#hand(notification, payload)) this.#behind = true
  }

  /** Entries up to this `seq` are stored, or about to be readable: reads on from the cursor. */
  readOn(seq: number): void {
    if (!this.interest.notifications || this.#detached) return
    if (seq > this.#expected) {
      this.#expected = seq
      this.#looks = MOST_LOOKS
    }
    this.#behind = true
    this.#overtaken = true
    this.#pump()
  }

  /** An alert pages this person: goes out at once, ahead of what the inbox still holds. */
  page(alert: Alert, payload: string | null): void {
    if (!this.#pages || this.#detached) return
    if (this.interest.alerts && this.#handPage(alert, payload)) return
    this.#pages.missed(alert.id)
  }

  /** What an alert came to; lost where there is no room. */
  outcome(payload: string): void {
    if (!this.interest.alerts || this.#full) return
    this.#send({ kind: 'alert', topic: `users/${this.reader.userId}/alerts`, payload }, () => {})
  }

  /** The person's unread count as it is now. */
  tellUnread(summary: InboxSummary): void {
    if (!this.interest.unread) return
    this.#unread = summary
    this.#sendUnread()
  }

  /** Starts whatever read is called for; at most one at a time. */
  #pump(): void {
    if (this.#detached || this.#reading || this.#full || this.#cancelRetry) return
    if (this.interest.alerts && this.#pages?.pending && this.#pagesInFlight <= WINDOW / 2)
      this.#readPages(this.#pages).catch((error: unknown) => this.#retryLater(error))
    // Waiting for half a window keeps the reads few: one for every fifty frames instead of one for each.
    else if (this.interest.notifications && this.#behind && this.#inFlight <= WINDOW / 2)
      this.#readInbox().catch((error: unknown) => this.#retryLater(error))
  }

  async #readInbox(): Promise<void> {
    this.#reading = true
    const limit = Math.min(this.#stride, WINDOW - this.#inFlight)
    const entries = await this.#host.inboxGate(async () => {
      this.#overtaken = false
      if (this.#detached) return []
      const { reader } = this
      const after = this.#cursor < 0 ? {} : { cursor: this.#cursor }
      return this.#host.store.inbox({ ...reader, order: 'oldest', status: 'unread', limit, ...after })
    })
    this.#failures = 0
    let taken = 0
    for (const entry of entries) {
      if (!this.interest.notifications || !this.#hand(entry, this.#host.encode(entry))) break
      taken += 1
    }
    // The rest of a page that did not fit is forgotten and read again: a slow connection holds no messages here.
    if (taken < entries.length) this.#stride = Math.max(1, taken)
    else {
      this.#stride = Math.min(PAGE, this.#stride * 2)
      if (entries.length < limit && !this.#overtaken) this.#behind = false
    }
    this.#reading = false
    if (!this.#behind) this.#expectMore()
    this.#pump()
  }

  /**
   * An entry is not readable before those with lower places are, which another node may still be storing for somebody
   * else. One that never comes was for others, or read elsewhere.
   */
  #expectMore(): void {
    if (this.#cursor >= this.#expected || this.#looks === 0 || this.#cancelRetry) return
    this.#looks -= 1
    const { clock } = this.#host
    this.#cancelRetry = clock.at(clock.now() + LOOK_AGAIN_MS, () => {
      this.#cancelRetry = null
      this.#behind = true
      this.#pump()
    })
  }

  async #readPages(pages: MissedPages): Promise<void> {
    this.#reading = true
    pages.begin()
    try {
      const alerts = await this.#host.pageGate(async () =>
        this.#detached ? [] : this.#host.openPagesFor(this.reader.userId),
      )
      this.#failures = 0
      const toldAll = alerts
        .filter((alert) => pages.wants(alert.id) && isPagedTo(alert, this.reader.userId))
        .every((alert) => this.interest.alerts && this.#handPage(alert, this.#host.encodePage(alert)))
      if (toldAll) pages.finish()
    } finally {
      pages.abandon()
    }
    this.#reading = false
    this.#pump()
  }

  /** False when it has to be read again later; passes by what this person is not to see live. */
  #hand(notification: Notification, payload: string | null): boolean {
    const { clock, progress } = this.#host
    const expired = (notification.content.expiresAt ?? Infinity) <= clock.now()
    const before = this.#cursor
    this.#cursor = notification.seq
    if (payload !== null && !expired && this.#host.visible(notification, this.reader)) {
      const topic = `users/${this.reader.userId}/notifications`
      const { userId } = notification
      // A broadcast is encoded once for all; only whose copy it is differs (R21).
      const own =
        userId === null
          ? payload.replace('"user_id":null', () => `"user_id":${JSON.stringify(this.reader.userId)}`)
          : payload
      const subject = { kind: 'notification', notification } as const
      this.#inFlight += 1
      const frame = { kind: 'notification', topic, payload: own, notification } as const
      const taken = this.#send(frame, () => {
        this.#inFlight -= 1
        if (userId !== null && this.#sink.proves) progress.delivered(subject, userId)
        this.#pump()
      })
      if (!taken) {
        this.#inFlight -= 1
        this.#cursor = before
        return false
      }
      if (userId !== null) progress.sent(subject, userId)
    }
    return true
  }

  #handPage(alert: Alert, payload: string | null): boolean {
    if (payload === null) return true
    if (this.#pagesInFlight >= WINDOW) return false
    const { userId } = this.reader
    const { progress } = this.#host
    const subject = { kind: 'alert', alert } as const
    this.#pagesInFlight += 1
    const taken = this.#send({ kind: 'alert', topic: `users/${userId}/alerts`, payload }, () => {
      this.#pagesInFlight -= 1
      if (this.#sink.proves) progress.delivered(subject, userId)
      this.#pump()
    })
    if (!taken) {
      this.#pagesInFlight -= 1
      return false
    }
    this.#pages?.told(alert.id)
    progress.sent(subject, userId)
    return true
  }

  /** One frame on its way at a time, so that a slow connection skips to the latest. */
  #sendUnread(): void {
    const summary = this.#unread
    if (!summary || this.#unreadInFlight || this.#full || !this.interest.unread) return
    const last = this.#unreadSent
    this.#unread = null
    if (last && summary.total === last.total && summary.unread === last.unread) return
    this.#unreadInFlight = true
    const payload = JSON.stringify({
      total: summary.total,
      unread: summary.unread,
      version: summary.version,
    })
    const frame = { kind: 'unread', topic: `users/${this.reader.userId}/unread`, payload } as const
    const taken = this.#send(frame, () => {
      this.#unreadInFlight = false
      this.#sendUnread()
    })
    if (taken) {
      this.#unreadSent = summary
      return
    }
    this.#unreadInFlight = false
    this.#unread ??= summary
  }

  #send(frame: Omit<LiveFrame, 'retain'>, confirmed: () => void) {
    if (this.#detached) return false
    let open = true
    let sending = true
    const confirm = () => {
      if (!open || this.#detached) return
      open = false
      confirmed()
    }
    try {
      // What a new subscription finds is retained; what comes to one that stands is not [MQTT-3.3.1-8, MQTT-3.3.1-9].
      const retain = frame.kind === 'unread' && this.#unreadSent === null
      const taken = this.#sink.send({ ...frame, retain }, () => {
        // Confirmed before it counts as sent: put off, so that the two are told in their order.
        if (sending) queueMicrotask(confirm)
        else confirm()
      })
      sending = false
      if (!taken) {
        open = false
        this.#full = true
      }
      return taken
    } catch (error) {
      open = false
      this.#host.sinkFailed(error, this.reader)
      this.detach()
      return false
    }
  }

  #retryLater(error: unknown): void {
    this.#reading = false
    if (this.#detached) return
    this.#host.storeFailed(error)
    this.#failures += 1
    const { clock } = this.#host
    this.#cancelRetry = clock.at(clock.now() + backOffMs(this.#failures), () => {
      this.#cancelRetry = null
      this.#pump()
    })
  }
}

function isPagedTo(alert: Alert, userId: string): boolean {
  return alert.status === 'firing' && (alert.told[userId] ?? []).includes('realtime')
}
