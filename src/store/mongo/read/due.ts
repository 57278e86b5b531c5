import type { mongo } from 'mongoose'
import type { Overdue, Store } from '../../store.ts'
import type { DeliveryDocument } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { readAlert } from '../document/alert.ts'
import { letterOf, WORKING } from '../document/work.ts'

/** A lease, a hold-off and another look put a timer off by less. */
const SLACK_MS = 60_000

/** The reads about what is due. */
export function dueReads(context: MongoContext): Pick<Store, 'lanes' | 'overdue'> {
  const { pipeline } = context
  return {
    lanes: () => pipeline.read(() => lanesOf(context)),
    overdue: (dueBefore, now, limit) => pipeline.read(() => overdue(context, { dueBefore, now, limit })),
  }
}

/** Each lane is one look into an index, however much waits in it. */
async function lanesOf({ collections }: MongoContext): Promise<readonly string[]> {
  const lanes: string[] = []
  for (const name of Object.values(WORKING)) {
    const collection = collections[name as 'deliveries']
    for (let last = ''; ;) {
      const next = await collection
        .find({ 'work.lane': { $gt: last } }, { projection: { 'work.lane': 1 } })
        .sort({ 'work.lane': 1 })
        .limit(1)
        .next()
      const lane = next?.work?.lane
      if (lane === undefined) break
      lanes.push(lane)
      last = lane
    }
  }
  return lanes
}

interface OverdueQuery {
  readonly dueBefore: number
  readonly now: number
  readonly limit: number
}

async function overdue(context: MongoContext, { dueBefore, now, limit }: OverdueQuery): Promise<Overdue> {
  const { alerts } = context.collections
  const late = async (lane: string) => {
    const collection = context.collections[WORKING[letterOf(lane)] as 'deliveries']
    const counts = await Promise.all(
      [2, 1, 0].map((rank) => {
        const filter = { 'work.lane': lane, 'work.rank': rank, 'work.dueAt': { $lt: dueBefore } }
        return collection.countDocuments(filter as mongo.Filter<DeliveryDocument>, { limit })
      }),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }
  const waiting = { open: true, nextStepAt: { $gte: 0 } }
  const tooLate = { $gt: ['$work.dueAt', { $add: [{ $max: ['$nextStepAt', now] }, SLACK_MS] }] }
  const [lanes, steps, astray, untimed, distant] = await Promise.all([
    lanesOf(context),
    late('escalate'),
    alerts
      .find({ ...waiting, $or: [{ work: { $exists: false } }, { $expr: tooLate }] })
      .limit(limit)
      .toArray(),
    alerts
      .find({ open: true, nextStepAt: null, status: 'firing', severity: 'critical', ended: false })
      .limit(limit)
      .toArray(),
    alerts
      .find({ open: true, nextStepAt: { $gt: now }, status: 'firing' })
      .limit(limit)
      .toArray(),
  ])
  const work = await Promise.all(lanes.map(late))
  return {
    steps,
    work: work.reduce((sum, count) => sum + count, 0),
    timerless: [...astray, ...untimed].map(readAlert),
    distant: distant.map(readAlert),
  }
}
