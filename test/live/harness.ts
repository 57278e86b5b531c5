import type { Alert } from '../../src/alert/alert.ts'
import { createLive, type LiveOptions } from '../../src/live/fan-out.ts'
import type { LiveInterest } from '../../src/live/live.ts'
import { visibleTo } from '../../src/live/visible-to.ts'
import type { InboxReader } from '../../src/store/store.ts'
import { fakeClock, turn } from '../support/fake-clock.ts'
import { memoryInbox, TENANT, type NotificationDraft } from '../support/memory-inbox.ts'
import { silentLog } from '../support/silent-log.ts'

export const ALL: LiveInterest = { notifications: true, alerts: true, unread: true }
export const NOTIFICATIONS: LiveInterest = { notifications: true, alerts: false, unread: false }
export const ALERTS: LiveInterest = { notifications: false, alerts: true, unread: false }
export const UNREAD: LiveInterest = { notifications: false, alerts: false, unread: true }
export const NOTHING: LiveInterest = { notifications: false, alerts: false, unread: false }

export function person(userId: string, ...groups: string[]): InboxReader {
  return { tenant: TENANT, userId, groups }
}

/** A fan-out over a memory inbox and a clock that stands still. */
export function liveHarness(options: Partial<LiveOptions> = {}) {
  const inbox = memoryInbox()
  const clock = fakeClock()
  const { log, lines } = silentLog()
  const openAlerts = new Map<string, Alert>()
  const lookUps: string[] = []
  const live = createLive({
    store: inbox,
    clock,
    log,
    wireNotification: (notification) => ({ id: notification.id, message: notification.content.message }),
    wireAlertPage: (alert) => ({
      type: 'critical_alert',
      alert: { id: alert.id },
      requires_acknowledgment: true,
    }),
    wireOutcome: ({ id }, { kind, by }) => ({ type: 'alert_outcome', outcome: kind, by, alert: { id } }),
    visibleTo,
    openPagesFor: async (userId) => {
      lookUps.push(userId)
      return [...openAlerts.values()]
    },
    ...options,
  })
  return {
    inbox,
    clock,
    lines,
    live,
    openAlerts,
    lookUps,
    /** Commits, and passes on what was stored. */
    publish: (draft: NotificationDraft) => {
      const notification = inbox.commit(draft)
      live.stored(notification)
      return notification
    },
    /** Lets everything that is ready run. */
    settle: async () => {
      for (let turns = 0; turns < 6; turns += 1) await turn()
    },
  }
}
