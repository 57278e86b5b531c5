import type { TenantId } from '../../../access/principal.ts'
import { decodeCursor, pageOf } from '../../cursor.ts'
import type { DeadLetter, Page, PageQuery } from '../../store.ts'
import type { Collections, DeadLetterDocument } from '../collections.ts'
import { keyOf } from '../document/key.ts'
import { pruned } from './prune.ts'

function readDeadLetter(document: DeadLetterDocument): DeadLetter {
  const { id, topic, payload, principal, code, reason, createdAt, replays } = document
  return {
    id,
    // What was stored is what the port gave.
    tenant: document.tenant as TenantId,
    topic,
    payload: Uint8Array.from(payload.buffer),
    principal,
    code,
    reason,
    createdAt,
    replays,
  }
}

export function createDeadLetters({ dead_letters: letters }: Pick<Collections, 'dead_letters'>) {
  return {
    async list(tenant: TenantId, page: PageQuery): Promise<Page<DeadLetter>> {
      const after = decodeCursor(page.cursor, [0, ''])
      const rows = await letters
        .find({ tenant, ...(after && olderThan(after as readonly [number, string])) })
        .sort({ order: -1, _id: -1 })
        .limit(page.limit + 1)
        .toArray()
      return pageOf(rows, page.limit, { item: readDeadLetter, position: ({ order, _id }) => [order, _id] })
    },
    async one(tenant: TenantId, id: string): Promise<DeadLetter | null> {
      const found = await letters.findOne({ _id: keyOf(tenant, id) })
      return found && readDeadLetter(found)
    },
    async remove(tenant: TenantId, id: string): Promise<boolean> {
      const { deletedCount } = await letters.deleteOne({ _id: keyOf(tenant, id) })
      return deletedCount > 0
    },
    prune: (before: number, limit: number) =>
      pruned(letters, { createdAt: { $lt: before } }, { sort: { createdAt: 1 }, limit }),
  }
}

/** What comes after this place in a list whose newest are first. */
function olderThan([order, id]: readonly [number, string]) {
  return { order: { $lte: order }, $or: [{ order: { $lt: order } }, { _id: { $lt: id } }] }
}
