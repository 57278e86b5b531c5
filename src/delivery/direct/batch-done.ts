import type { TenantId } from '../../access/principal.ts'
import type { Core } from '../../core.ts'
import type { Origin } from '../../notification/notification.ts'
import { batchProgress } from './batch-progress.ts'

/** As long as what was published is remembered (promise P3). */
const REMEMBERED_MS = 24 * 60 * 60_000

/**
 * Tells the publisher of a batch that all its messages have ended: `{id, status: "batch_done", batch_id, total, sent,
 * delivered, failed, cancelled, at}` on its receipt topic, once in 24 h whatever ends together or is sent again
 * (checklist R36). Called after every end. Does nothing while any message is queued or when nobody would hear. A
 * crash between the last end and this loses it; `GET /v1/batches/{id}` then still has the counts.
 */
export async function tellBatchDone(
  core: Core,
  batch: { readonly tenant: TenantId; readonly id: string; readonly origin: Origin },
): Promise<void> {
  const { tenant, id, origin } = batch
  if (!core.receipts.wanted(origin)) return
  const stored = await core.store.batch(tenant, id)
  if (!stored) return
  const { done, queued: _, ...counts } = batchProgress(stored)
  if (!done) return
  const now = core.clock.now()
  // What ends together asks together: the key makes one of them the last.
  const accepted = await core.store.accept({
    tenant,
    at: now,
    principal: origin.principal,
    topic: origin.topic,
    once: { key: `batch_done:${id}`, expiresAt: now + REMEMBERED_MS, check: true },
    result: {},
    notifications: [],
    deliveries: [],
    alert: null,
    deadLetter: null,
    release: null,
    urgent: false,
  })
  if (accepted.kind !== 'accepted') return
  core.receipts.tell(origin.principal, origin.messageId, {
    id: origin.messageId,
    status: 'batch_done',
    batch_id: id,
    ...counts,
    at: new Date(now).toISOString(),
  })
}

/** {@link tellBatchDone} where nobody waits for it: a failure is logged. */
export function batchMayBeDone(core: Core, batch: Parameters<typeof tellBatchDone>[1]): void {
  tellBatchDone(core, batch).catch((error: unknown) => {
    core.log.warn({ err: error, batch: batch.id }, 'the end of a batch could not be told')
  })
}
