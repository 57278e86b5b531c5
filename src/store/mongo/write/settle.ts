import { MOST_ATTEMPTS } from '../../../delivery/attempt/attempt.ts'
import type { OutboxItem } from '../../../delivery/delivery.ts'
import type { Settlement } from '../../store.ts'
import type { OutboxDocument, PendingPart } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { keyOf } from '../document/key.ts'
import { placeOf, WORKING, type WorkingLetter } from '../document/work.ts'
import type { Slot } from './batch.ts'
import { pendingPart, type Effects } from './effects.ts'
import { held, hold, letGo } from './hold.ts'
import type { Group, Touch } from './pipeline.ts'

/** The last compare-and-sets that a document remembers. */
const MARKS = 3

interface Settling {
  readonly settlement: Settlement
  readonly slot: Slot
  readonly letter: WorkingLetter
  readonly _id: string
  readonly digest: { readonly _id: string; readonly id: string } | null
  readonly effects: Effects
  readonly part: PendingPart | null
  done: boolean
}

/** Settlements of one batch, each of other work: one bulk of compare-and-sets per collection. */
export function settleGroup(context: MongoContext): Group<Settlement, 'done' | 'fenced'> {
  return {
    async run(batch, items) {
      const all = await Promise.all(items.map(({ item, slot }) => settling(context, item, slot)))
      const present = all.filter((each) => each !== null)
      for (const letter of ['d', 'a', 'g', 'r'] as const)
        await settleAll(
          context,
          letter,
          present.filter((each) => each.letter === letter),
        )
      await Promise.all(present.map((each) => endHold(context, each)))
      for (const { done, part, effects, _id, letter } of present) {
        if (!done) continue
        batch.wrote = true
        if (part && letter === 'd') batch.outgoing.push({ from: 'deliveries', _id, part, effects })
      }
      return all.map((each) => ({ reply: each?.done === true ? 'done' : 'fenced' }))
    },
  }
}

/** With its digest, where it is held back; null for work that this store never gave out. */
async function settling(context: MongoContext, given: Settlement, slot: Slot): Promise<Settling | null> {
  const place = placeOf(given.workId)
  if (!place) return null
  const { letter, _id } = place
  const outbox = given.outbox ? [outboxDocument(context, given.outbox)] : []
  const effects = { outbox }
  const part = outbox.length > 0 ? pendingPart(slot, effects) : null
  const own = { slot, letter, _id, effects, part, done: false }
  if (letter !== 'd' || !given.hold) return { ...own, settlement: given, digest: null }
  const { hold: wanted, delivery, at, token } = given
  const current = await context.collections.deliveries.findOne(
    { _id, token, 'work.leased': true },
    { projection: { tenant: 1 } },
  )
  if (!current) return null
  const digest = await hold(context, { tenant: current.tenant, hold: wanted, at, delivery: _id, token }, slot)
  if (digest || !delivery) return { ...own, settlement: given, digest }
  // Its summary would come too late.
  const settlement: Settlement = {
    ...given,
    delivery: { ...delivery, state: 'pending', reason: null },
    nextDueAt: wanted.expiresAt ?? at,
  }
  return { ...own, settlement, digest }
}

async function settleAll(
  { collections }: MongoContext,
  letter: WorkingLetter,
  all: readonly Settling[],
): Promise<void> {
  if (all.length === 0) return
  const collection = collections[WORKING[letter] as 'deliveries']
  const operations = all.map((each) => ({
    updateOne: {
      filter: { _id: each._id, token: each.settlement.token, 'work.leased': true },
      update: updateOf(each),
    },
  }))
  // The updates are those of each letter's own documents.
  const { modifiedCount } = await collection.bulkWrite(operations as never, { ordered: false })
  if (modifiedCount === all.length) return all.forEach((each) => void (each.done = true))
  const marks = all.map(({ slot }) => slot.id)
  const won = await collection
    .find({ _id: { $in: all.map(({ _id }) => _id) } }, { projection: { marks: 1 } })
    .toArray()
  const known = new Set(won.flatMap((row) => row.marks).filter((mark) => marks.includes(mark)))
  for (const each of all) each.done = known.has(each.slot.id)
}

function updateOf({ settlement, letter, slot, digest, part }: Settling) {
  const { nextDueAt, at } = settlement
  const pushes = {
    marks: { $each: [slot.id], $slice: -MARKS },
    ...(part && { pending: part }),
  }
  const work =
    nextDueAt === null
      ? { $unset: { work: '' } }
      : {
          $set: { 'work.dueAt': nextDueAt, 'work.leased': false },
          $unset: { 'work.node': '', 'work.claim': '' },
        }
  if (letter !== 'd') {
    // A timer that ended without a change: the alert says so too, or it would wait for a step that never comes.
    const ended =
      nextDueAt !== null ? {} : letter === 'a' ? { nextStepAt: null } : letter === 'r' ? { endedAt: at } : {}
    return { ...work, ...set({ ...work.$set, ...ended }), $push: pushes }
  }
  const history = (settlement.attempts ?? []).map((attempt) => JSON.stringify(attempt))
  return {
    ...work,
    ...set({ ...work.$set, ...deliveryFields(settlement, digest) }),
    $push: { ...pushes, ...(history.length > 0 && { history: { $each: history, $slice: -MOST_ATTEMPTS } }) },
    ...(settlement.untried === true && { $inc: { attempts: -1 } }),
  }
}

/** Servers before 5.0 refuse to set nothing. */
function set(fields: Readonly<Record<string, unknown>>) {
  return Object.keys(fields).length === 0 ? {} : { $set: fields }
}

function deliveryFields({ delivery, nextDueAt }: Settlement, digest: Settling['digest']) {
  // Left as `sending` it would look like an attempt whose effect is unknown.
  if (!delivery) return nextDueAt === null ? {} : { state: 'pending', nextAttemptAt: nextDueAt }
  const { state, reason, error, providerId, sentAt, deliveredAt } = delivery
  return {
    state,
    reason,
    error,
    nextAttemptAt: nextDueAt,
    ...(providerId !== null && { providerId }),
    ...(sentAt !== null && { sentAt }),
    ...(deliveredAt !== null && { deliveredAt }),
    ...(digest && { digestId: digest.id }),
  }
}

async function endHold(context: MongoContext, { digest, done, slot }: Settling): Promise<void> {
  if (!digest) return
  await (done ? held : letGo)(context, digest._id, slot.id)
}

function outboxDocument({ order }: MongoContext, item: OutboxItem): OutboxDocument {
  const { tenant, id, channel, userId, createdAt } = item
  return {
    _id: keyOf(tenant, id),
    tenant,
    id,
    channel,
    userId,
    createdAt,
    order: order(),
    doc: JSON.stringify(item),
  }
}

/** What a settlement touches. */
export function settleTouches({ workId, hold, delivery }: Settlement): readonly Touch[] {
  const place = placeOf(workId)
  const touches: Touch[] = [
    ['work', 'end'],
    ['outbox', 'add'],
  ]
  if (!place) return touches
  const noun = place.letter === 'd' ? 'delivery' : place.letter === 'a' ? 'alert' : 'work'
  touches.push([`${noun} ${place._id}`, 'alone'])
  if (delivery && place.letter === 'd')
    touches.push([`subject ${delivery.id.slice(0, delivery.id.lastIndexOf('.'))}`, 'one'])
  if (hold) touches.push(['digests', 'hold'], [`digest ${hold.key}`, 'alone'])
  return touches
}
