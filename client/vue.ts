import { computed, getCurrentScope, onScopeDispose, ref, type ComputedRef, type Ref } from 'vue'
import { createClient, type AppNotification, type Client, type Handler } from './carillon.ts'
import type { InboxChange } from './inbox.ts'

export type { AppNotification } from './carillon.ts'

/** A call that rings, as `call.incoming` tells it. */
export interface IncomingCall {
  readonly call_uuid: string
  readonly caller_id?: string
  readonly did_number?: string
  readonly [field: string]: unknown
}

/** What X19 names, and nothing else. */
export interface NotificationCenter {
  /** Newest first. */
  readonly notifications: Ref<AppNotification[]>
  readonly unreadCount: Ref<number>
  readonly hasUnread: ComputedRef<boolean>
  /** True during the bell's shake, which a new notification begins. */
  readonly bellAnimating: Ref<boolean>
  readonly incomingCalls: Ref<IncomingCall[]>
  readonly showCallNotifier: Ref<boolean>
  readonly markRead: (notif: AppNotification) => Promise<void>
  readonly markAllRead: () => Promise<void>
  readonly deleteNotification: (notif: AppNotification) => Promise<void>
  readonly dismissCall: (callUuid: string) => void
}

/** How many entries are loaded and kept. */
const KEPT = 50
const SHAKE_MS = 1000

let shared: Client | null = null

/** Which client the composables use: call it once, before the first of them, unless the page's own server and cookie do. */
export function provideClient(client: Client): void {
  shared = client
}

function clientOf(given: Client | undefined): Client {
  return given ?? (shared ??= createClient())
}

/** Stops with the component, or whatever scope this is called in. */
function untilDisposed(stop: () => void): void {
  if (getCurrentScope()) onScopeDispose(stop)
}

/** The signed-in person's inbox as reactive state, in step with the server and other tabs (X19). */
export function useNotificationCenter(given?: Client): NotificationCenter {
  const client = clientOf(given)
  const notifications: Ref<AppNotification[]> = ref([])
  const unreadCount = ref(0)
  const bellAnimating = ref(false)
  const incomingCalls: Ref<IncomingCall[]> = ref([])
  const showCallNotifier = ref(false)
  let still: ReturnType<typeof setTimeout> | undefined
  let disposed = false

  /** Rises with whatever comes live: an answer that was asked for before is out of date. */
  let changes = 0
  let loading = false
  const load = async () => {
    for (let before = -1; before !== changes && !disposed;) {
      before = changes
      const [list, summary] = await Promise.all([
        client.notifications.list({ limit: KEPT }),
        client.notifications.summary(),
      ])
      if (disposed || before !== changes) continue
      notifications.value = [...list]
      unreadCount.value = summary.unread
    }
  }
  // What cannot be loaded now is loaded when the connection is live again.
  const refresh = () => {
    changes += 1
    if (loading) return
    loading = true
    const done = () => (loading = false)
    load().then(done, done)
  }
  const shake = () => {
    bellAnimating.value = true
    clearTimeout(still)
    still = setTimeout(() => (bellAnimating.value = false), SHAKE_MS)
  }
  const dismissCall = (callUuid: string) => {
    incomingCalls.value = incomingCalls.value.filter((call) => call.call_uuid !== callUuid)
    showCallNotifier.value = incomingCalls.value.length > 0
  }

  const stops = [
    client.events.on<AppNotification>('notification.created', ({ data }) => {
      if (notifications.value.some(({ uuid }) => uuid === data.uuid)) return
      changes += 1
      notifications.value = [data, ...notifications.value].slice(0, KEPT)
      shake()
    }),
    client.events.on<{ unread: number }>('unread', ({ data }) => {
      const fewer = data.unread < unreadCount.value
      changes += 1
      unreadCount.value = data.unread
      // Read or deleted on another device: which ones is for the server to say.
      if (fewer) refresh()
    }),
    client.events.on<InboxChange>('inbox.changed', ({ data }) => {
      notifications.value = changed(notifications.value, data)
      refresh()
    }),
    client.events.on<IncomingCall>('call.incoming', ({ data }) => {
      incomingCalls.value = [
        ...incomingCalls.value.filter(({ call_uuid: id }) => id !== data.call_uuid),
        data,
      ]
      showCallNotifier.value = true
    }),
    // The next person at this screen is not to see what was for the last one.
    client.events.on('signed_out', () => {
      changes += 1
      notifications.value = []
      unreadCount.value = 0
      incomingCalls.value = []
      showCallNotifier.value = false
    }),
    client.onState((state) => {
      if (state === 'live') refresh()
    }),
  ]
  refresh()
  untilDisposed(() => {
    disposed = true
    clearTimeout(still)
    for (const stop of stops) stop()
  })

  return {
    notifications,
    unreadCount,
    hasUnread: computed(() => unreadCount.value > 0),
    bellAnimating,
    incomingCalls,
    showCallNotifier,
    markRead: (notif) => client.notifications.markRead(notif.uuid),
    markAllRead: () => client.notifications.markAllRead(),
    deleteNotification: (notif) => client.notifications.remove(notif.uuid),
    dismissCall,
  }
}

/** What is left of the list after a change to some of it. */
function changed(list: readonly AppNotification[], { as, ids }: InboxChange): AppNotification[] {
  const meant = ({ uuid }: AppNotification) => ids === 'all' || ids.includes(uuid)
  if (as === 'restored') return [...list]
  if (as === 'deleted') return list.filter((entry) => !meant(entry))
  const readAt = as === 'read' ? new Date().toISOString() : null
  return list.map((entry) =>
    meant(entry) && (entry.read_at === null) === (as === 'read') ? { ...entry, read_at: readAt } : entry,
  )
}

/** The event stream of the signed-in person (X20). */
export interface EventStream {
  /** A type, or a pattern such as `order.*`; answers with how to stop. Stops with the component by itself. */
  on<Data = unknown>(pattern: string, handler: Handler<Data>): () => void
  /** Takes a handler back. */
  off(pattern: string, handler: Handler<never>): void
}

export function useEventStream(given?: Client): EventStream {
  const client = clientOf(given)
  const open = new Map<string, Map<unknown, () => void>>()
  const off = (pattern: string, handler: unknown) => {
    const handlers = open.get(pattern)
    handlers?.get(handler)?.()
    handlers?.delete(handler)
  }
  untilDisposed(() => {
    for (const handlers of open.values()) for (const stop of handlers.values()) stop()
    open.clear()
  })
  return {
    on(pattern, handler) {
      off(pattern, handler)
      const handlers = open.get(pattern) ?? new Map<unknown, () => void>()
      open.set(pattern, handlers.set(handler, client.events.on(pattern, handler)))
      return () => off(pattern, handler)
    },
    off,
  }
}
