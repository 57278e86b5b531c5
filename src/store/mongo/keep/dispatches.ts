import type { TenantId } from '../../../access/principal.ts'
import { DELIVERY_STATES, type DeliveryState } from '../../../delivery/delivery.ts'
import type { Batch, Dispatch, DispatchList, DispatchQuery, SentDispatch } from '../../store.ts'
import type { Collections, DeliveryDocument, DispatchDocument } from '../collections.ts'
import { keyOf } from '../document/key.ts'

/** So many of an owner's are looked through at once. */
const PORTION = 200

type Standing = Pick<DeliveryDocument, 'subjectId' | 'ordinal' | 'address' | 'state'>

/** The states of a dispatch's deliveries; the newest to each address stands for those before it. */
function statesOf(deliveries: readonly Standing[]): readonly DeliveryState[] {
  const newest = new Map<string | null, Standing>()
  for (const each of deliveries) {
    const known = newest.get(each.address)
    if (!known || known.ordinal < each.ordinal) newest.set(each.address, each)
  }
  return deliveries.flatMap((each) =>
    // What was stored is what the port gave.
    newest.get(each.address) === each ? [each.state as DeliveryState] : [],
  )
}

function readDispatch(document: DispatchDocument, states: readonly DeliveryState[]): SentDispatch {
  const { id, owner, topic, createdAt, doc } = document
  return {
    id,
    tenant: document.tenant as TenantId,
    owner,
    topic,
    createdAt,
    doc: JSON.parse(doc) as Dispatch['doc'],
    states,
  }
}

function fits({ states }: SentDispatch, { any, none }: DispatchQuery): boolean {
  return (
    (any === undefined || states.some((state) => any.includes(state))) &&
    (none === undefined || !states.some((state) => none.includes(state)))
  )
}

export function createDispatches({ dispatches, deliveries }: Pick<Collections, 'dispatches' | 'deliveries'>) {
  const withStates = async (documents: readonly DispatchDocument[]): Promise<SentDispatch[]> => {
    const [first] = documents
    if (!first) return []
    const found = await deliveries
      .find(
        { subjectId: { $in: documents.map(({ id }) => id) }, tenant: first.tenant },
        { projection: { subjectId: 1, ordinal: 1, address: 1, state: 1 } },
      )
      .sort({ subjectId: 1, tenant: 1, ordinal: 1 })
      .toArray()
    const bySubject = new Map<string, Standing[]>()
    for (const each of found) bySubject.set(each.subjectId, [...(bySubject.get(each.subjectId) ?? []), each])
    return documents.map((each) => readDispatch(each, statesOf(bySubject.get(each.id) ?? [])))
  }
  return {
    async list(query: DispatchQuery): Promise<DispatchList> {
      const { tenant, owner, topic, id, limit, offset } = query
      const filter = {
        tenant,
        owner,
        ...(topic !== undefined && { topic }),
        ...(id !== undefined && { _id: keyOf(tenant, id) }),
      }
      const found = () => dispatches.find(filter).sort({ order: -1 })
      if (query.any === undefined && query.none === undefined) {
        const total = await dispatches.countDocuments(filter)
        return { total, items: await withStates(await found().skip(offset).limit(limit).toArray()) }
      }
      const items: SentDispatch[] = []
      let total = 0
      let portion: DispatchDocument[] = []
      const look = async () => {
        for (const each of await withStates(portion.splice(0))) {
          if (!fits(each, query)) continue
          if (total >= offset && items.length < limit) items.push(each)
          total++
        }
      }
      for await (const each of found().batchSize(PORTION)) {
        portion.push(each)
        if (portion.length === PORTION) await look()
      }
      await look()
      return { total, items }
    },

    async batch(tenant: TenantId, id: string): Promise<Batch | null> {
      const [first] = await deliveries
        .find({ subjectId: id, tenant, subjectKind: 'batch' })
        .sort({ ordinal: 1 })
        .limit(1)
        .toArray()
      if (!first) return null
      const { principal, messageId, topic, createdAt } = first
      const counted = await deliveries
        .aggregate<{ _id: DeliveryState; count: number }>([
          // A message that was sent again has a later instant.
          { $match: { subjectId: id, tenant, createdAt } },
          { $group: { _id: '$state', count: { $sum: 1 } } },
        ])
        .toArray()
      return { id, origin: { principal, messageId, topic }, createdAt, states: statesCounted(counted) }
    },
  }
}

/** All states, those included that none is in. */
export function statesCounted(
  counted: readonly { readonly _id: DeliveryState; readonly count: number }[],
): Readonly<Record<DeliveryState, number>> {
  const counts = new Map(counted.map(({ _id, count }) => [_id, count]))
  // Built from the list of all states.
  return Object.fromEntries(DELIVERY_STATES.map((state) => [state, counts.get(state) ?? 0])) as Record<
    DeliveryState,
    number
  >
}
