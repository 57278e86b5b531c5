import type { TenantId } from '../../../access/principal.ts'
import type { OutboxItem } from '../../../delivery/delivery.ts'
import type { OutboxQuery } from '../../store.ts'
import type { Collections, OutboxDocument } from '../collections.ts'
import { keyOf } from '../document/key.ts'
import { pruned } from './prune.ts'

const readItem = ({ doc }: OutboxDocument): OutboxItem => JSON.parse(doc) as OutboxItem

export function createOutbox({ outbox }: Pick<Collections, 'outbox'>) {
  return {
    async list({ tenant, channel, userId, since }: OutboxQuery): Promise<readonly OutboxItem[]> {
      const rows = await outbox
        .find({
          tenant,
          ...(channel !== undefined && { channel }),
          ...(userId !== undefined && { userId }),
          ...(since !== undefined && { createdAt: { $gte: since } }),
        })
        .sort({ order: 1, _id: 1 })
        .toArray()
      return rows.map(readItem)
    },
    async one(tenant: TenantId, id: string): Promise<OutboxItem | null> {
      const found = await outbox.findOne({ _id: keyOf(tenant, id) })
      return found && readItem(found)
    },
    async clear(tenant: TenantId): Promise<void> {
      await outbox.deleteMany({ tenant })
    },
    prune: (before: number, limit: number) =>
      pruned(outbox, { createdAt: { $lt: before } }, { sort: { createdAt: 1 }, limit }),
  }
}
