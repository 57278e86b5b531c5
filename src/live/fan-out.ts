import type { TenantId } from '../access/principal.ts'
import type { Alert } from '../alert/alert.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Notification } from '../notification/notification.ts'
import type { InboxReader, InboxSummary, Store } from '../store/store.ts'
import { Attachment, type AttachmentHost } from './attachment.ts'
import { createBroadcasts } from './broadcasts.ts'
import { createGate } from './gate.ts'
import type { Live, LiveOutcome } from './live.ts'
import { createProgress, type ProgressListener } from './progress.ts'
import { createUnread } from './unread.ts'

/** Reads of the store at once, over all connections. */
const READS = 16
/** A store that is down is logged this often, not once for each connection. */
const COMPLAINT_MS = 5000
/** People whose connections read on in one turn of the event loop. */
const STIRRED_AT_ONCE = 500

export interface LiveOptions {
  readonly store: Pick<Store, 'inbox' | 'inboxSummary' | 'progress'>
  readonly clock: Clock
  readonly log: Log
  /** The JSON object of `users/{id}/notifications` (R17). Must not depend on who reads it: a broadcast is encoded once. */
  readonly wireNotification: (notification: Notification) => unknown
  /** The whole JSON object of `users/{id}/alerts` (R23). */
  readonly wireAlertPage: (alert: Alert) => unknown
  /** The JSON object of `users/{id}/alerts` that tells what an alert came to. */
  readonly wireOutcome: (alert: Alert, outcome: LiveOutcome) => unknown
  /** Whether a notification goes to this person's live connections. Pure, quick. */
  readonly visibleTo: (notification: Notification, reader: InboxReader) => boolean
  /** The open alerts that page this person on `realtime`; told when they connect. Others among them are passed by. */
  readonly openPagesFor: (userId: string) => Promise<readonly Alert[]>
  /**
   * Whether other nodes store notifications as well. Their places in the inbox are then between those of this one, so
   * that connections are served from the inbox alone, in its order.
   */
  readonly several?: () => boolean
  /** Hears of stored progress of personal notifications and pages. */
  readonly progressed?: ProgressListener
}

interface Person {
  readonly attachments: Set<Attachment>
  /** How many of them want notifications. */
  wanting: number
}

/**
 * The fan-out of {@link Live}. Holds nothing that must survive: after a crash everybody connects again and is told
 * what is unread. Calls for people without connections cost one look-up in a map.
 */
export function createLive(options: LiveOptions): Live {
  const { store, clock, log } = options
  const people = new Map<string, Person>()
  const inboxGate = createGate(READS)
  const complain = atMostEvery(COMPLAINT_MS, clock, (error) =>
    log.warn({ err: error }, 'the store did not answer; live connections wait and ask again'),
  )
  const progress = createProgress({ store, clock, log, listener: options.progressed })
  const unread = createUnread({
    store,
    clock,
    gate: inboxGate,
    failed: complain,
    tell: (userId: string, summary: InboxSummary) =>
      people.get(userId)?.attachments.forEach((attachment) => attachment.tellUnread(summary)),
  })
  const encode = lastOnly(log, options.wireNotification)
  const encodePage = lastOnly(log, options.wireAlertPage)
  const broadcasts = createBroadcasts({ encode, reached: (userId) => unread.changed(userId) })
  let closed = false

  const host: AttachmentHost = {
    store,
    clock,
    pageGate: createGate(READS),
    inboxGate,
    progress,
    openPagesFor: options.openPagesFor,
    encode,
    encodePage,
    visible: options.visibleTo,
    storeFailed: complain,
    sinkFailed: (error, reader) =>
      log.warn({ err: error, user: reader.userId }, 'a live connection failed and was let go'),
    interestChanged(attachment, before, now) {
      const person = people.get(attachment.reader.userId)
      if (person) person.wanting += Number(now.notifications) - Number(before.notifications)
      if (now.unread && !before.unread) unread.watch(attachment.reader)
      if (!now.unread && before.unread) unread.unwatch(attachment.reader.userId)
    },
    gone(attachment) {
      const { tenant, userId } = attachment.reader
      broadcasts.leave(tenant, attachment)
      const person = people.get(userId)
      if (!person) return
      person.attachments.delete(attachment)
      person.wanting -= Number(attachment.interest.notifications)
      if (attachment.interest.unread) unread.unwatch(userId)
      if (person.attachments.size === 0) people.delete(userId)
    },
  }

  const storedFor = (person: Person, notification: Notification) => {
    if (person.wanting === 0) return
    const payload = encode(notification)
    for (const attachment of person.attachments) {
      // A broadcast that is still on its way round has the lower number, so it goes first.
      broadcasts.catchUp(notification.tenant, attachment)
      attachment.offer(notification, payload)
    }
  }

  const arrived: Live['arrived'] = (tenant, userId, seq) => {
    if (userId === null) {
      stirAll([...people.values()], tenant, seq)
      return
    }
    const person = people.get(userId)
    if (!person) return
    for (const attachment of person.attachments) attachment.readOn(seq)
    unread.changed(userId)
  }
  /** A part of the people per turn of the event loop. */
  const stirAll = (all: readonly Person[], tenant: TenantId | null, seq: number) => {
    for (const { attachments } of all.slice(0, STIRRED_AT_ONCE))
      for (const attachment of attachments) {
        if (tenant !== null && attachment.reader.tenant !== tenant) continue
        attachment.readOn(seq)
        if (attachment.interest.unread) unread.changed(attachment.reader.userId)
      }
    if (all.length > STIRRED_AT_ONCE && !closed)
      setImmediate(() => stirAll(all.slice(STIRRED_AT_ONCE), tenant, seq))
  }

  return {
    arrived,
    attach(reader, interest, sink, after) {
      const attachment = new Attachment(host, reader, sink, broadcasts.last(reader.tenant))
      if (closed) {
        attachment.detach()
        return attachment
      }
      const person = people.get(reader.userId) ?? { attachments: new Set(), wanting: 0 }
      people.set(reader.userId, person)
      person.attachments.add(attachment)
      broadcasts.join(reader.tenant, attachment)
      if (after !== undefined) attachment.resume(after)
      attachment.want(interest)
      return attachment
    },
    online: (userId) => (people.get(userId)?.wanting ?? 0) > 0,
    stored(notification) {
      if (options.several?.()) {
        arrived(notification.tenant, notification.userId, notification.seq)
        return
      }
      if (notification.userId === null) {
        broadcasts.start(notification)
        return
      }
      const person = people.get(notification.userId)
      if (!person) return
      storedFor(person, notification)
      unread.changed(notification.userId)
    },
    page(alert, userId) {
      const person = people.get(userId)
      if (!person) return
      const payload = encodePage(alert)
      for (const attachment of person.attachments) attachment.page(alert, payload)
    },
    outcome(alert, outcome, userId) {
      const person = people.get(userId)
      if (!person) return
      const payload = JSON.stringify(options.wireOutcome(alert, outcome))
      for (const attachment of person.attachments) attachment.outcome(payload)
    },
    changed: (userId) => unread.changed(userId),
    close() {
      closed = true
      broadcasts.close()
      for (const person of people.values()) for (const attachment of person.attachments) attachment.detach()
      unread.close()
      progress.close()
    },
  }
}

/** Remembers the last answer only: what is fanned out is encoded once, and nothing is kept alive for long. */
function lastOnly<Subject extends { readonly id: string }>(
  log: Log,
  wire: (subject: Subject) => unknown,
): (subject: Subject) => string | null {
  let last: Subject | null = null
  let payload: string | null = null
  return (subject) => {
    if (subject === last) return payload
    last = subject
    try {
      payload = JSON.stringify(wire(subject))
    } catch (error) {
      // One that cannot be shown must not stand in the way of all that come after it (promise P10).
      log.error({ err: error, id: subject.id }, 'could not be encoded for live connections')
      payload = null
    }
    return payload
  }
}

function atMostEvery(ms: number, clock: Clock, task: (error: unknown) => void): (error: unknown) => void {
  let notBefore = -Infinity
  return (error) => {
    if (clock.now() < notBefore) return
    notBefore = clock.now() + ms
    task(error)
  }
}
