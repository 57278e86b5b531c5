import type { DeliveryStatistics, StatisticsQuery } from '../../store.ts'
import type { Database, Row } from '../file/database.ts'

/** The reader's statement on what became of many deliveries; reads the newest of the tenant by its index. */
export function statisticsReads(db: Database) {
  const counted = db.prepare(`
    SELECT channel, state, reason, count(*), avg(took), min(created_at) FROM (
      SELECT channel, state, reason, sent_at - max(created_at, coalesce(first_due_at, 0)) AS took, created_at
      FROM delivery WHERE tenant = ? AND created_at >= ? AND created_at < ? ORDER BY created_at DESC LIMIT ?)
    GROUP BY channel, state, reason ORDER BY channel, state, reason`)
  return {
    deliveryStatistics: ({ tenant, from, to, limit }: StatisticsQuery): Row[] =>
      counted.all(tenant, from, to, limit),
  }
}

export function readStatistics(rows: readonly Row[], { from, limit }: StatisticsQuery): DeliveryStatistics {
  // STRICT columns, in the order of the statement.
  const given = rows as unknown as readonly (readonly [
    channel: DeliveryStatistics['counts'][number]['channel'],
    state: DeliveryStatistics['counts'][number]['state'],
    reason: string | null,
    count: number,
    tookMs: number | null,
    oldest: number,
  ])[]
  const total = given.reduce((sum, [, , , count]) => sum + Number(count), 0)
  return {
    from: total < limit ? from : Math.min(...given.map((row) => row[5])),
    counts: given.map(([channel, state, reason, count, tookMs]) => ({
      channel,
      state,
      reason,
      count: Number(count),
      tookMs: tookMs === null ? null : Math.round(tookMs),
    })),
  }
}
