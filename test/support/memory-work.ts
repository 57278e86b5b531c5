import type { Claim, Claimed, NewDelivery, Settlement, Store } from '../../src/store/store.ts'
import type { Delivery, OutboxItem } from '../../src/delivery/delivery.ts'

interface Row {
  readonly workId: number
  readonly lane: string
  work: Claimed
  dueAt: number
  token: number
  lease: number | null
  crashes: number
}

/** The part of the store that workers see, in memory and with the same meaning: leases, tokens, crash counts. */
export interface MemoryWork extends Pick<Store, 'claim' | 'settle'> {
  /** Puts a delivery up for claiming. */
  add(planned: NewDelivery, subject?: Partial<Pick<Deliver, 'notification' | 'alert'>>): void
  /** Puts up a piece of work that is no delivery. */
  addOther(lane: string, dueAt: number): void
  readonly settlements: Settlement[]
  readonly outbox: OutboxItem[]
  readonly claims: Claim[]
  /** As it is now, by id. */
  delivery(id: string): Delivery
  /** Pieces of work that are neither ended nor deferred for ever. */
  readonly left: number
  /** Calls of the store that are to fail next. */
  failing: number
}

type Deliver = Extract<Claimed, { readonly kind: 'deliver' }>

export function memoryWork(): MemoryWork {
  const rows = new Map<number, Row>()
  const deliveries = new Map<string, Delivery>()
  const settlements: Settlement[] = []
  const outbox: OutboxItem[] = []
  const claims: Claim[] = []
  let nextId = 1
  let nextToken = 1

  const put = (lane: string, dueAt: number, work: (base: Omit<Row, 'work'>) => Claimed) => {
    const base = { workId: nextId++, lane, dueAt, token: 0, lease: null, crashes: 0 }
    rows.set(base.workId, { ...base, work: work(base) })
  }
  const fail = () => {
    if (memory.failing <= 0) return
    memory.failing--
    throw new Error('the store is away')
  }
  const memory: MemoryWork = {
    settlements,
    outbox,
    claims,
    failing: 0,
    get left() {
      return rows.size
    },
    delivery(id) {
      const delivery = deliveries.get(id)
      if (!delivery) throw new Error(`no delivery ${id}`)
      return delivery
    },
    add({ delivery, dueAt, lane }, subject = {}) {
      deliveries.set(delivery.id, delivery)
      if (dueAt === null) return
      put(lane, dueAt, ({ workId }) => ({
        kind: 'deliver',
        workId,
        token: 0,
        tenant: delivery.tenant,
        dueAt,
        crashes: 0,
        delivery,
        notification: subject.notification ?? null,
        alert: subject.alert ?? null,
        ambiguous: false,
      }))
    },
    addOther(lane, dueAt) {
      const tenant = 'default' as Claimed['tenant']
      put(lane, dueAt, ({ workId }) => ({
        kind: 'release',
        workId,
        token: 0,
        tenant,
        dueAt,
        crashes: 0,
        doc: {},
      }))
    },
    async claim(claim) {
      await Promise.resolve()
      fail()
      claims.push(claim)
      const wanted = ({ work }: Row) =>
        claim.criticalOnly !== true || (work.kind === 'deliver' && work.delivery.critical)
      const mine = [...rows.values()].filter((row) => row.lane === claim.lane && wanted(row))
      const instant = (row: Row) => row.lease ?? row.dueAt
      const due = mine
        .filter((row) => instant(row) <= claim.now)
        .toSorted((a, b) => a.dueAt - b.dueAt || a.workId - b.workId)
        .slice(0, claim.limit)
      const items = due.map((row) => {
        const lost = row.lease !== null
        if (lost) row.crashes++
        row.lease = claim.leaseUntil
        row.token = nextToken++
        const { token, crashes, dueAt } = row
        if (row.work.kind !== 'deliver') return { ...row.work, token, crashes, dueAt }
        const { attempts } = memory.delivery(row.work.delivery.id)
        const delivery = {
          ...memory.delivery(row.work.delivery.id),
          state: 'sending',
          attempts: attempts + 1,
        } as const
        deliveries.set(delivery.id, delivery)
        return { ...row.work, token, crashes, dueAt, delivery, ambiguous: lost }
      })
      const instants = mine.map(instant)
      return { items, nextDueAt: instants.length === 0 ? null : Math.min(...instants) }
    },
    async settle(settlement) {
      await Promise.resolve()
      fail()
      const row = rows.get(Number(settlement.workId))
      if (!row || row.token !== settlement.token) return 'fenced'
      settlements.push(settlement)
      if (settlement.outbox) outbox.push(settlement.outbox)
      if (settlement.delivery) {
        const { id, ...changes } = settlement.delivery
        const { attempts: made, ...before } = memory.delivery(id)
        const attempts = settlement.untried ? made - 1 : made
        deliveries.set(id, { ...before, ...changes, attempts, nextAttemptAt: settlement.nextDueAt })
      }
      if (settlement.nextDueAt === null) rows.delete(row.workId)
      else {
        row.dueAt = settlement.nextDueAt
        row.lease = null
      }
      return 'done'
    },
  }
  return memory
}
