import Type from 'typebox'
import { batchProgress } from '../delivery/direct/batch-progress.ts'
import type { Batch } from '../store/store.ts'
import { rfc3339 } from './instant.ts'

/** What {@link renderBatch} makes. */
export const BatchSchema = Type.Object(
  {
    batch_id: Type.String(),
    total: Type.Integer({ description: 'The sum of the five that follow' }),
    queued: Type.Integer(),
    sent: Type.Integer({ description: 'Handed over, and no more is known' }),
    delivered: Type.Integer({ description: 'Reported as delivered by the provider' }),
    failed: Type.Integer({ description: 'Given up, or refused at the door' }),
    cancelled: Type.Integer(),
    done: Type.Boolean({ description: 'Nothing is queued any more' }),
    items_url: Type.String({ description: 'The deliveries of the batch' }),
    created_at: Type.String({ format: 'date-time' }),
  },
  {
    $id: 'Batch',
    examples: [
      {
        batch_id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f11',
        total: 3,
        queued: 0,
        sent: 2,
        delivered: 0,
        failed: 1,
        cancelled: 0,
        done: true,
        items_url: '/v1/deliveries?batch_id=019b8e5c-7a00-7001-8000-5f3c2d1e0f11',
        created_at: '2026-01-05T12:00:00.000Z',
      },
    ],
  },
)

/** The progress of a batch on the wire (checklist R36). */
export function renderBatch(batch: Batch) {
  return {
    batch_id: batch.id,
    ...batchProgress(batch),
    items_url: `/v1/deliveries?batch_id=${encodeURIComponent(batch.id)}`,
    created_at: rfc3339(batch.createdAt),
  }
}
