import type { MongoContext } from '../context.ts'
import { countBatch } from './count.ts'
import { resolveHoldings } from './hold.ts'
import { outgoingOf, type Outgoing } from './effects.ts'
import { isCommitted, PREPARED_MS, refuse } from './once.ts'
import { inFlightBefore, land } from './sequence.ts'
import { clear, writeOut } from './write-out.ts'

/** Whoever has not said for so long that it lives is taken for dead. */
export const DEAD_MS = 6000
/** What a node that lives has not finished by then it has given up. */
const GIVEN_UP_MS = 5000
/** Numbers in flight for longer hold up readers for nothing. */
const LOST_NUMBERS_MS = 10_000
/** What was released stays so long, so that writing it out again does not make it anew. */
const RELEASED_MS = 600_000

/**
 * Finishes what others left behind: writes out what follows from their writes, ends keys that were prepared and not used,
 * lets readers pass numbers that were lost, and has timers due again that the dead hold. May be done by several at once.
 * `everything`: also what is too young to have been given up, as at a start.
 */
export async function recover(context: MongoContext, everything: boolean): Promise<void> {
  const now = context.clock.now()
  await finishWrites(context, everything ? now + 1 : now - GIVEN_UP_MS)
  await endKeys(context, now - PREPARED_MS)
  await landNumbers(context, now)
  await resolveHoldings(context, now - GIVEN_UP_MS)
  await reclaimTimers(context, now)
  await context.collections.releases.deleteMany({ endedAt: { $lt: now - RELEASED_MS } })
}

async function finishWrites(context: MongoContext, before: number): Promise<void> {
  const { journal, alerts, deliveries, digests } = context.collections
  const old = { 'pending.since': { $lt: before } }
  const found: Outgoing[] = []
  for await (const each of journal.find(old)) found.push(...outgoingOf('journal', each))
  for await (const each of alerts.find(old)) found.push(...outgoingOf('alerts', each))
  for await (const each of deliveries.find(old)) found.push(...outgoingOf('deliveries', each))
  for await (const each of digests.find(old)) found.push(...outgoingOf('digests', each))
  if (found.length === 0) return
  await writeOut(context, found)
  const dead = await deadAmong(context, [...new Set(found.map(({ part }) => part.node))])
  // Who lives counts and takes off what it does itself.
  const left = found.filter(
    ({ part }) => dead.has(part.node) || (part.node === context.node && part.since < before),
  )
  const batches = new Map(left.map(({ part }) => [`${part.node}_${part.batch}`, part]))
  for (const { node, batch: number, since: highWaterAt } of batches.values()) {
    const same = left.filter(({ part }) => part.node === node && part.batch === number)
    await countBatch(context, { node, number, highWaterAt }, same)
  }
  await clear(context, left)
}

async function deadAmong(
  { collections, clock }: MongoContext,
  nodes: readonly string[],
): Promise<ReadonlySet<string>> {
  const alive = { _id: { $in: nodes }, beatAt: { $gte: clock.now() - DEAD_MS } }
  const living = await collections.nodes.find(alive, { projection: { _id: 1 } }).toArray()
  const names = new Set(living.map(({ _id }) => _id))
  return new Set(nodes.filter((node) => !names.has(node)))
}

async function endKeys(context: MongoContext, before: number): Promise<void> {
  const { journal } = context.collections
  for await (const key of journal.find({ preparedAt: { $lt: before } })) {
    if ((await isCommitted(context, key)) || !(await refuse(context, key))) continue
    await journal.deleteOne({ _id: key._id, by: key.by, state: 'prepared' })
  }
}

async function landNumbers(context: MongoContext, now: number): Promise<void> {
  const counters = await context.collections.counters.find({ _id: { $gt: '' } }).toArray()
  for (const counter of counters) {
    const flights = inFlightBefore(counter, now + 1)
    if (flights.length === 0) continue
    const dead = await deadAmong(context, [...new Set(flights.map(({ node }) => node))])
    const lost = new Set(
      inFlightBefore(counter, now - LOST_NUMBERS_MS).map(({ node, number }) => `${node}_${number}`),
    )
    for (const flight of flights)
      if (dead.has(flight.node) || lost.has(`${flight.node}_${flight.number}`))
        await land(context, flight, counter._id)
  }
}

async function reclaimTimers(context: MongoContext, now: number): Promise<void> {
  const { nodes } = context.collections
  const dead = await nodes.find({ beatAt: { $gt: 0, $lt: now - DEAD_MS } }).toArray()
  for (const { _id, beatAt } of dead) {
    if (_id === context.node) continue
    await reclaim(context, _id)
    await nodes.updateOne({ _id, beatAt }, { $set: { beatAt: null } })
  }
}

/**
 * Has the timers due that a node holds which does not go on: a step must not wait for the end of a lease (promise P14).
 * Deliveries do: lost twice within a moment by a process that does not stay up, they would pass for poison (P10).
 */
export async function reclaim({ collections }: MongoContext, node: string): Promise<void> {
  const dueAt = await highWaterOf(collections)
  await collections.alerts.updateMany(
    { 'work.lane': 'escalate', 'work.leased': true, 'work.node': node },
    { $min: { 'work.dueAt': dueAt } },
  )
}

/** The highest instant that any commit has carried. */
export async function highWaterOf({ nodes }: Pick<MongoContext['collections'], 'nodes'>): Promise<number> {
  const [highest] = await nodes
    .find({ _id: { $gt: '' } })
    .sort({ highWaterAt: -1 })
    .limit(1)
    .toArray()
  return highest?.highWaterAt ?? 0
}
