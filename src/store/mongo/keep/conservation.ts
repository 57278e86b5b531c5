import type { mongo } from 'mongoose'
import { CHANNEL_NAMES, DELIVERY_STATES, type DeliveryState } from '../../../delivery/delivery.ts'
import type { Store } from '../../store.ts'
import type { Collections, DigestDocument } from '../collections.ts'
import { statesCounted } from './dispatches.ts'

type Verdict = Awaited<ReturnType<Store['conservation']>>

const MOVING: readonly DeliveryState[] = ['pending', 'sending']
const ENDED = DELIVERY_STATES.filter((state) => !MOVING.includes(state))
const BUT_REALTIME = CHANNEL_NAMES.filter((channel) => channel !== 'realtime')

type Law = readonly [collection: keyof Collections, breach: Readonly<Record<string, unknown>>]

/**
 * The law (promise P4): each sentence counts the rows that break it. A row has its work inside, so each is true of one
 * instant.
 */
const LAW_OF_MOVING: readonly Law[] = [
  // There is no state but the eight.
  ['deliveries', { state: { $nin: [...DELIVERY_STATES] } }],
  // What has not ended has work, and is being sent while somebody holds that; only `realtime` may wait for the person to
  // connect.
  ['deliveries', { state: 'sending', 'work.leased': { $ne: true } }],
  ['deliveries', { state: 'pending', channel: { $in: BUT_REALTIME }, 'work.leased': { $ne: false } }],
  ['deliveries', { state: 'pending', channel: 'realtime', 'work.leased': true }],
  // What has ended has none.
  ['deliveries', { state: { $in: ENDED }, 'work.leased': { $in: [true, false] } }],
  // An open alert that is to go on has a timer, any other has none.
  ['alerts', { open: true, nextStepAt: { $gte: 0 }, 'work.lane': { $exists: false } }],
  ['alerts', { open: true, nextStepAt: null, 'work.lane': { $exists: true } }],
  ['alerts', { open: false, 'work.lane': { $exists: true } }],
  // A digest that is open has its work, and a closed one none.
  ['digests', { closedAt: null, 'work.lane': { $exists: false } }],
  ['digests', { closedAt: { $gte: 0 }, 'work.lane': { $exists: true } }],
  // What was released waits for nothing.
  ['releases', { endedAt: { $gte: 0 }, 'work.lane': { $exists: true } }],
]

/** The sentence about what nobody looks at any more. */
const LAW_OF_ALL: readonly Law[] = [
  ...LAW_OF_MOVING,
  // What was resolved waits for nothing.
  ['alerts', { open: false, status: 'resolved', nextStepAt: { $gte: 0 } }],
]

/** Asks indexes alone: the entries of what has not ended, but for the counts of deliveries by state. */
export async function conservation(
  db: mongo.Db,
  tables: Collections,
  of: 'moving' | 'all',
): Promise<Verdict> {
  const law = of === 'all' ? LAW_OF_ALL : LAW_OF_MOVING
  const [breaches, digests, accepted, deadLetters, states] = await Promise.all([
    Promise.all(law.map(([collection, breach]) => countOf(db, collection, breach))),
    miscounted(tables),
    acceptedOf(tables.nodes),
    countOf(db, 'dead_letters', { createdAt: { $gte: 0 } }),
    Promise.all(
      DELIVERY_STATES.map(async (state) => ({
        _id: state,
        count: await countOf(db, 'deliveries', { state }),
      })),
    ),
  ])
  const broken = breaches.reduce((sum, count) => sum + count, digests)
  return { broken, accepted, deadLetters, deliveries: statesCounted(states) }
}

/** The command itself: `countDocuments` is an aggregation, which reads every document that it counts. */
async function countOf(db: mongo.Db, collection: string, query: object): Promise<number> {
  const { n } = (await db.command({ count: collection, query })) as { readonly n: number }
  return n
}

async function acceptedOf(nodes: Collections['nodes']): Promise<number> {
  const [sum] = await nodes
    .aggregate<{ accepted: number }>([
      { $match: { _id: { $gte: '' } } },
      { $group: { _id: null, accepted: { $sum: '$accepted' } } },
    ])
    .toArray()
  return sum?.accepted ?? 0
}

/**
 * Open digests that count other than what they hold. A delivery that is on its way into one is counted before it says so
 * itself; one that was looked at in between is looked at again.
 */
async function miscounted(tables: Collections): Promise<number> {
  const suspects = await breaking(tables, await tables.digests.find({ closedAt: null }).toArray())
  if (suspects.length === 0) return 0
  const again = await tables.digests
    .find({ _id: { $in: suspects.map(({ _id }) => _id) }, closedAt: null })
    .toArray()
  return (await breaking(tables, again)).length
}

async function breaking(
  { deliveries }: Pick<Collections, 'deliveries'>,
  digests: readonly DigestDocument[],
): Promise<readonly DigestDocument[]> {
  const broken: DigestDocument[] = []
  for (const digest of digests) {
    const held = await deliveries.countDocuments({ digestId: digest.id, tenant: digest.tenant })
    if (held > digest.count || held < digest.count - digest.holding.length) broken.push(digest)
  }
  return broken
}
