import type { Alert } from '../../alert/alert.ts'
import type { Delivery } from '../delivery.ts'

const MINUTE_MS = 60_000

/** Why a page is suppressed that another one has covered: its person was reached. */
export const SAME_TIME = 'same_time'

/** A page that is about to be sent. */
export interface PlannedPage {
  readonly delivery: Delivery
  /** When it was to be sent. */
  readonly dueAt: number
  readonly alert: Pick<Alert, 'pagesFrom'> | null
}

/** The last page of an alert that went to one contact. */
export interface EarlierPage {
  readonly id: string
  readonly ordinal: number
  /** When its step fired: pages of one step are as far apart as the person wants them. */
  readonly createdAt: number
  readonly dueAt: number
  readonly startedAt: number
}

/**
 * Whether a page says what another page of the alert has just said to the same contact, so that what comes due together
 * is one message (behaviours E4, E5): it was due already when the other one went out; or they are of two steps, one of
 * them was delayed by a contact rule, and they were meant for the same time, give or take a tenth of that delay, a minute
 * at most. A page of a round that was acknowledged covers none of the next one, which says that nobody has it any more.
 */
export function isCovered({ delivery, dueAt, alert }: PlannedPage, earlier: EarlierPage): boolean {
  if (earlier.id === delivery.id || earlier.ordinal < (alert?.pagesFrom ?? 0)) return false
  if (dueAt <= earlier.startedAt) return true
  if (earlier.createdAt === delivery.createdAt) return false
  const delay = Math.max(dueAt - delivery.createdAt, earlier.dueAt - earlier.createdAt)
  return dueAt - earlier.dueAt < Math.min(MINUTE_MS, delay / 10)
}

/** The last page to every contact, as far as it may still cover another one. */
export interface Overlap {
  /** Whether the page may go now; from then on it is the last one. Asked in the tick in which it is sent. */
  admits(page: PlannedPage, now: number): boolean
  /** It did not go out, so it covers nothing. */
  failed(delivery: Delivery): void
}

/** What may still cover a page is this young. */
const KEPT_MS = 5 * MINUTE_MS

/** In memory: what went out before a restart is no longer the same moment. */
export function createOverlap(): Overlap {
  const last = new Map<string, EarlierPage>()
  return {
    admits(page, now) {
      const { delivery, dueAt } = page
      const { id, ordinal, createdAt, attempts } = delivery
      const contact = contactOf(delivery)
      const earlier = last.get(contact)
      // What was tried before was admitted then; its later due times are the retry's.
      if (earlier && attempts <= 1 && isCovered(page, earlier)) return false
      last.delete(contact)
      last.set(contact, { id, ordinal, createdAt, dueAt, startedAt: now })
      for (const [key, { startedAt }] of last) {
        if (startedAt > now - KEPT_MS) break
        last.delete(key)
      }
      return true
    },
    failed(delivery) {
      const contact = contactOf(delivery)
      if (last.get(contact)?.id === delivery.id) last.delete(contact)
    },
  }
}

function contactOf({ subjectId, userId, channel, address }: Delivery): string {
  return `${subjectId} ${userId} ${channel} ${address}`
}
