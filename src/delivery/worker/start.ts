import type { Alert } from '../../alert/alert.ts'
import type { Notification } from '../../notification/notification.ts'
import type { Lease, NewDelivery } from '../../store/store.ts'
import { leasedWork } from '../plan.ts'
import type { Worker } from './worker.ts'

/**
 * Says of one delivery of a commit after the other whether it would start at once. What would not is better claimed
 * later: critical work is claimed first, and a lease that a crash ends looks like a message that was sent.
 */
export function roomIn(worker: Pick<Worker, 'room'>): (lane: string) => boolean {
  const left = new Map<string, number>()
  return (lane) => {
    const room = left.get(lane) ?? worker.room(lane)
    left.set(lane, room - 1)
    return room > 0
  }
}

/**
 * Sets committed deliveries going: what the commit leased is performed at once, the rest wakes its lane when it is
 * due. Lost in a crash, it is found again in the store.
 */
export function startDeliveries(
  worker: Worker,
  planned: readonly NewDelivery[],
  leases: readonly Lease[],
  subject: { readonly notification: Notification | null; readonly alert: Alert | null },
): void {
  for (const one of planned) {
    const { delivery, lane, lease, dueAt } = one
    if (lease !== null && leases.some((taken) => taken.deliveryId === delivery.id))
      worker.take(lane, leasedWork([one], leases, subject), lease.until)
    else if (dueAt !== null) worker.wake(lane, dueAt)
  }
}
