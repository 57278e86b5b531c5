import type { Requests } from './requests.ts'

export type Severity = 'info' | 'success' | 'warning' | 'error'

/** An entry of the inbox, as the lists and the stream give it. */
export interface AppNotification {
  readonly uuid: string
  readonly title: string
  readonly body: string
  readonly type: string
  readonly category?: string
  readonly severity?: Severity
  /** Name of a Lucide icon. */
  readonly icon?: string
  readonly action_url?: string
  readonly entity_type?: string
  readonly entity_id?: string
  readonly customer_id?: string
  readonly data: Readonly<Record<string, unknown>>
  /** RFC 3339. */
  readonly created_at: string
  readonly read_at: string | null
}

export interface InboxFilter {
  readonly limit?: number
  readonly unreadOnly?: boolean
  readonly category?: string
}

export interface Summary {
  readonly total: number
  readonly unread: number
}

/** What one tab did to the inbox, told to the others as `inbox.changed`. */
export interface InboxChange {
  readonly as: 'read' | 'unread' | 'deleted' | 'restored'
  /** `all`: every entry there is. */
  readonly ids: readonly string[] | 'all'
}

/** The inbox of the signed-in person. Everything rejects with a `CarillonError`. */
export interface Inbox {
  /** Newest first. */
  list(filter?: InboxFilter): Promise<readonly AppNotification[]>
  summary(): Promise<Summary>
  markRead(uuid: string): Promise<void>
  markUnread(uuid: string): Promise<void>
  markAllRead(): Promise<void>
  remove(uuid: string): Promise<void>
  /** Takes the last `markRead`, `markUnread` or `remove` of this client back; false when there is none. */
  undo(): Promise<boolean>
}

/** `forget`: there is nothing to take back any more. */
export function createInbox(
  requests: Requests,
  changed: (change: InboxChange) => void,
): Inbox & { forget(): void } {
  let back: (() => Promise<void>) | null = null
  const act = async (method: string, path: string, body?: unknown) => {
    await requests.json(method, `/api/v1/notifications${path}`, body)
  }
  const mark = async (as: InboxChange['as'], uuid: string) => {
    const id = encodeURIComponent(uuid)
    if (as === 'deleted') await act('DELETE', `/${id}`)
    else if (as === 'restored') await act('POST', `/${id}/restore`)
    else await act('PUT', `/${id}/read`, as === 'read' ? {} : { read: false })
    changed({ as, ids: [uuid] })
  }
  return {
    async list({ limit = 20, unreadOnly = false, category } = {}) {
      const query = new URLSearchParams({
        limit: String(limit),
        ...(unreadOnly && { unread_only: 'true' }),
        ...(category !== undefined && { category }),
      })
      const { notifications } = await requests.json<{ notifications: readonly AppNotification[] }>(
        'GET',
        `/api/v1/notifications?${query.toString()}`,
      )
      return notifications
    },
    summary: () => requests.json('GET', '/api/v1/notifications/summary'),
    async markRead(uuid) {
      await mark('read', uuid)
      back = () => mark('unread', uuid)
    },
    async markUnread(uuid) {
      await mark('unread', uuid)
      back = () => mark('read', uuid)
    },
    async markAllRead() {
      await act('POST', '/read-all', {})
      back = null
      changed({ as: 'read', ids: 'all' })
    },
    async remove(uuid) {
      await mark('deleted', uuid)
      back = () => mark('restored', uuid)
    },
    async undo() {
      const undo = back
      back = null
      await undo?.()
      return undo !== null
    },
    forget() {
      back = null
    },
  }
}
