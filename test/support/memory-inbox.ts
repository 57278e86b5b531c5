import type { TenantId } from '../../src/access/principal.ts'
import type { Notification, NotificationContent } from '../../src/notification/notification.ts'
import type { DeliveryProgress, InboxQuery, InboxReader, InboxSummary, Store } from '../../src/store/store.ts'

export const TENANT = 'default' as TenantId

export interface NotificationDraft {
  readonly to?: string | null
  readonly tenant?: TenantId
  readonly audience?: readonly string[]
  readonly content?: Partial<NotificationContent>
}

/** The few reads of the store that live connections need, over an array. */
export interface MemoryInbox extends Pick<Store, 'inbox' | 'inboxSummary' | 'progress'> {
  /** Commits a notification; `to` null or absent is a broadcast. */
  commit(draft: NotificationDraft): Notification
  markRead(userId: string, id: string): void
  /** What the person has unread, oldest first. */
  unreadOf(reader: InboxReader): readonly Notification[]
  summaryOf(reader: InboxReader): InboxSummary
  /** While held, reads stay unanswered until `answer`; they see the inbox as it is at the call or at the answer. */
  hold(held: boolean): void
  readonly waiting: number
  /** Answers the read with this number, or lets it fail. */
  answer(index: number, how: 'early' | 'late' | 'fail'): void
  /** So many reads and writes fail from now on. */
  fail(times: number): void
  readonly queries: InboxQuery[]
  readonly summaries: string[]
  readonly steps: DeliveryProgress[]
}

export function memoryInbox(): MemoryInbox {
  const rows: Notification[] = []
  const read = new Set<string>()
  const held: ((how: 'early' | 'late' | 'fail') => void)[] = []
  const queries: InboxQuery[] = []
  const summaries: string[] = []
  const steps: DeliveryProgress[] = []
  let holding = false
  let failing = 0
  let version = 0

  const concerns = (row: Notification, reader: InboxReader) =>
    row.tenant === reader.tenant &&
    (row.userId === null
      ? row.audience.length === 0 || row.audience.some((group) => reader.groups.includes(group))
      : row.userId === reader.userId)
  const isRead = (row: Notification, reader: InboxReader) => read.has(`${reader.userId} ${row.id}`)
  const unreadOf = (reader: InboxReader) =>
    rows.filter((row) => concerns(row, reader) && !isRead(row, reader))
  const summaryOf = (reader: InboxReader) => ({
    total: rows.filter((row) => concerns(row, reader)).length,
    unread: unreadOf(reader).length,
    version,
  })
  const reply = <T>(answer: () => T): Promise<T> => {
    if (failing > 0) {
      failing -= 1
      return Promise.reject(new Error('the store is away'))
    }
    if (!holding) return Promise.resolve(answer())
    const early = answer()
    return new Promise((resolve, reject) =>
      held.push((how) => {
        if (how === 'fail') reject(new Error('the store is away'))
        else resolve(how === 'early' ? early : answer())
      }),
    )
  }

  return {
    queries,
    summaries,
    steps,
    unreadOf,
    summaryOf,
    commit({ to = null, tenant = TENANT, audience = [], content = {} }) {
      version += 1
      const seq = rows.length + 1
      const notification: Notification = {
        seq,
        id: `n${seq}`,
        tenant,
        userId: to,
        audience,
        origin: { principal: 'sensor', messageId: `m${seq}`, topic: 'notifications/realtime/user/x' },
        content: {
          title: 'Notification',
          message: `number ${seq}`,
          type: 'info',
          priority: 'normal',
          data: {},
          channels: ['realtime'],
          ...content,
        },
        createdAt: seq,
        readAt: null,
      }
      rows.push(notification)
      return notification
    },
    markRead(userId, id) {
      version += 1
      read.add(`${userId} ${id}`)
    },
    hold(value) {
      holding = value
    },
    get waiting() {
      return held.length
    },
    answer(index, how) {
      held.splice(index, 1)[0]?.(how)
    },
    fail(times) {
      failing = times
    },
    inbox(query) {
      queries.push(query)
      return reply(() => {
        const found = unreadOf(query).filter((row) => row.seq > (query.cursor ?? 0))
        return found.slice(0, query.limit)
      })
    },
    inboxSummary(reader) {
      summaries.push(reader.userId)
      return reply(() => summaryOf(reader))
    },
    progress(batch) {
      return reply(() => {
        const known = (step: DeliveryProgress) =>
          steps.some(
            (earlier) =>
              earlier.subjectId === step.subjectId &&
              earlier.userId === step.userId &&
              (earlier.state === step.state || earlier.state === 'delivered'),
          )
        const moved = batch.filter((step): step is DeliveryProgress => 'userId' in step && !known(step))
        steps.push(...moved)
        return moved.length
      })
    },
  }
}
