import type { DeliveryStatistics, StatisticsQuery } from '../../store.ts'
import type { Collections } from '../collections.ts'

type Count = DeliveryStatistics['counts'][number]

interface Group {
  readonly _id: Pick<Count, 'channel' | 'state' | 'reason'>
  readonly count: number
  readonly took: number | null
  readonly oldest: number
}

/** Reads the newest of the tenant by their index. */
export async function deliveryStatistics(
  { deliveries }: Pick<Collections, 'deliveries'>,
  { tenant, from, to, limit }: StatisticsQuery,
): Promise<DeliveryStatistics> {
  const groups = await deliveries
    .aggregate<Group>([
      { $match: { tenant, createdAt: { $gte: from, $lt: to } } },
      { $sort: { createdAt: -1, subjectId: -1, ordinal: -1 } },
      { $limit: limit },
      {
        $project: {
          ...{ channel: 1, state: 1, reason: 1, createdAt: 1 },
          took: { $subtract: ['$sentAt', { $max: ['$createdAt', '$firstDueAt'] }] },
        },
      },
      {
        $group: {
          _id: { channel: '$channel', state: '$state', reason: '$reason' },
          count: { $sum: 1 },
          took: { $avg: '$took' },
          oldest: { $min: '$createdAt' },
        },
      },
    ])
    .toArray()
  const total = groups.reduce((sum, { count }) => sum + count, 0)
  const counts = groups.map(({ _id: { channel, state, reason }, count, took }) => ({
    channel,
    state,
    reason,
    count,
    tookMs: took === null ? null : Math.round(took),
  }))
  return {
    from: total < limit ? from : Math.min(...groups.map(({ oldest }) => oldest)),
    counts: counts.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)),
  }
}

const placeOf = ({ channel, state, reason }: Count) => `${channel} ${state} ${reason ?? ''}`
