import { ALERT_STATUSES, type Alert } from '../../alert/alert.ts'
import type { DigestContents } from '../../store/store.ts'
import { clockTime } from '../message/clock-time.ts'
import { alertTitle } from '../message/content.ts'
import type { FixedContent } from '../delivery.ts'
import { cut, oneLine } from '../message/text.ts'

/** Names of messages and alerts that a summary lists. */
const NAMED = 5
const LONGEST_NAME = 60
const STATUSES = ALERT_STATUSES.filter((status) => status !== 'firing')
/** Alerts that one answer acts on. */
const ANSWERED = 200

export interface SummaryParts {
  /** Alerts whose outcome was held back as well. */
  readonly outcomesOf: ReadonlySet<string>
  readonly openedAt: number
  readonly timezone: string
  /** Origin of links. */
  readonly publicUrl: string
}

/**
 * What stands for everything that a digest held back (promise P11, behaviours E12 and O11): how many messages, which
 * alerts still fire and what the notifications were called. Alerts that somebody has taken care of meanwhile are left
 * out unless the person was to hear of that; null when nothing is left to tell. One message alone is told as itself.
 */
export function summaryOf(contents: DigestContents, parts: SummaryParts): FixedContent | null {
  const firing = contents.alerts.filter(({ status }) => status === 'firing')
  const ended = contents.alerts.filter(({ id, status }) => status !== 'firing' && parts.outcomesOf.has(id))
  if (firing.length === 0 && ended.length === 0 && contents.notificationCount === 0) return null
  // Where all that were looked at fire, those beyond count as firing: nobody is told less than there may be.
  const beyond = firing.length === contents.alerts.length ? contents.alertCount - firing.length : 0
  const firingCount = firing.length + beyond
  const alertIds = firing.slice(0, ANSWERED).map(({ id }) => id)
  const unnamed = firingCount - alertIds.length
  const summary = {
    alertIds,
    ...(unnamed > 0 && { unnamed }),
    notifications: contents.notificationCount + ended.length,
  }
  const [alert] = firing
  const [notification] = contents.notifications
  if (contents.count === 1 && alert)
    return { subject: alertTitle(alert), text: `${alertTitle(alert)} - ${alert.message}`, summary }
  if (contents.count === 1 && notification) {
    const { title, message } = notification.content
    return { subject: title, text: `${title}: ${message}`, summary }
  }
  const what = [
    ...(firingCount > 0 ? [`${plural(firingCount, 'alert')} (${byType(firing)})`] : []),
    ...(contents.notificationCount > 0
      ? [`${plural(contents.notificationCount, 'notification')} (${titlesOf(contents)})`]
      : []),
    ...STATUSES.flatMap((status) => {
      const such = ended.filter((each) => each.status === status)
      return such.length === 0 ? [] : [`${plural(such.length, 'alert')} ${status} (${byType(such)})`]
    }),
  ].join(' and ')
  const answer = firingCount > 0 ? ' Answer aa to acknowledge all alerts.' : ''
  const link = parts.publicUrl.replace(/\/+$/, '')
  const since = clockTime(parts.openedAt, parts.timezone)
  return {
    subject: `${plural(contents.count, 'message')} held back since ${since}`,
    text: `${plural(contents.count, 'message')} held back since ${since}: ${what}.${answer} ${link}/`,
    summary,
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** `10 disk_full, 2 cpu_high`, the most frequent first. */
function byType(alerts: readonly Alert[]): string {
  const counts = new Map<string, number>()
  for (const { type } of alerts) counts.set(type, (counts.get(type) ?? 0) + 1)
  const named = [...counts].toSorted(([, a], [, b]) => b - a).map(([type, count]) => `${count} ${type}`)
  return listed(named)
}

function titlesOf({ notifications, notificationCount }: DigestContents): string {
  const titles = [...new Set(notifications.map(({ content }) => cut(oneLine(content.title), LONGEST_NAME)))]
  return listed(titles, notificationCount > notifications.length)
}

function listed(names: readonly string[], more = false): string {
  const rest = more || names.length > NAMED ? ', …' : ''
  return `${names.slice(0, NAMED).join(', ')}${rest}`
}
