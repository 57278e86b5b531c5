import type { Batch } from '../../store/store.ts'

/** Where the messages of a batch are: every one is in exactly one of the five, which add up to `total`. */
export interface BatchProgress {
  readonly total: number
  /** Still to be sent, or being sent. */
  readonly queued: number
  /** Handed to the provider, which said nothing more. */
  readonly sent: number
  readonly delivered: number
  /** Given up, refused at the door, suppressed or expired. */
  readonly failed: number
  readonly cancelled: number
  /** Nothing is queued any more. */
  readonly done: boolean
}

/** Sums the states of a batch's messages up (checklist R36). */
export function batchProgress({ states }: Pick<Batch, 'states'>): BatchProgress {
  const queued = states.pending + states.sending
  const { sent, delivered, cancelled } = states
  const failed = states.dead + states.suppressed + states.expired
  const total = queued + sent + delivered + failed + cancelled
  return { total, queued, sent, delivered, failed, cancelled, done: queued === 0 }
}
