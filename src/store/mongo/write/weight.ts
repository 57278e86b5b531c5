import type { Acceptance, NewDelivery, NewNotification } from '../../store.ts'

/** Bytes that an acceptance holds in memory while it waits, about. */
export function weightOf({
  notifications,
  deliveries,
  alert,
  deadLetter,
  dispatches = [],
}: Acceptance): number {
  const changed = alert?.kind === 'change' ? alert.change : null
  return (
    1000 +
    weigh(notifications, deliveries) +
    (changed ? weigh(changed.notifications, changed.deliveries) : 0) +
    (deadLetter?.payload.byteLength ?? 0) +
    dispatches.length * 500
  )
}

function weigh(notifications: readonly NewNotification[], deliveries: readonly NewDelivery[]): number {
  const texts = notifications.reduce(
    (sum, { content }) => sum + content.title.length + content.message.length,
    0,
  )
  const fixed = deliveries.reduce((sum, { delivery }) => sum + (delivery.fixed?.text.length ?? 0), 0)
  return texts + fixed + notifications.length * 600 + deliveries.length * 800
}
