import type { DeliveryState } from '../delivery/delivery.ts'
import type { DispatchQuery } from '../store/store.ts'

export const SERVICE_STATUSES = ['initiated', 'success', 'failed'] as const
/** What became of a notification of a service (checklist N11). */
export type ServiceStatus = (typeof SERVICE_STATUSES)[number]

const OPEN: readonly DeliveryState[] = ['pending', 'sending']
const FAILED: readonly DeliveryState[] = ['cancelled', 'suppressed', 'expired', 'dead']

/** `initiated` while any of its deliveries is under way, then `failed` if any of them failed, else `success`. */
export function statusOf(states: readonly DeliveryState[]): ServiceStatus {
  if (states.some((state) => OPEN.includes(state))) return 'initiated'
  return states.some((state) => FAILED.includes(state)) ? 'failed' : 'success'
}

/** Which dispatches have a status, in the words of the store. */
export function statesFor(status: ServiceStatus): Pick<DispatchQuery, 'any' | 'none'> {
  switch (status) {
    case 'initiated':
      return { any: OPEN }
    case 'failed':
      return { none: OPEN, any: FAILED }
    case 'success':
      return { none: [...OPEN, ...FAILED] }
  }
}
