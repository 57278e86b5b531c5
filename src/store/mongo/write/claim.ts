import type { TenantId } from '../../../access/principal.ts'
import type { Attempt } from '../../../delivery/attempt/attempt.ts'
import { MOST_ATTEMPTS } from '../../../delivery/attempt/attempt.ts'
import type { Claim, Claimed } from '../../store.ts'
import type {
  AlertDocument,
  DeliveryDocument,
  DigestDocument,
  Rank,
  ReleaseDocument,
  WorkPart,
  Working,
} from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { readAlert } from '../document/alert.ts'
import { readAttempts, readDelivery } from '../document/delivery.ts'
import { readDigest } from '../document/digest.ts'
import { letterOf, WORKING, workIdOf, type WorkingLetter } from '../document/work.ts'
import { subjectsOf, type Subjects } from '../read/subjects.ts'
import type { Slot } from './batch.ts'

/** Work that may be taken, as it was found. */
interface Candidate {
  readonly _id: string
  readonly token: number
  readonly work: WorkPart
  readonly state?: string
  readonly attempts?: number
}

/** How many times as much as is wanted is looked through, when others take of the same lane. */
const WIDEST = 16
const RANKS: readonly Rank[] = [2, 1, 0]

/** The write behind `Store.claim`; remembers how crowded each lane is. */
export function claiming(context: MongoContext) {
  const widths = new Map<string, number>()
  return async (
    claim: Claim,
    slot: Slot,
  ): Promise<{ items: readonly Claimed[]; nextDueAt: number | null }> => {
    const letter = letterOf(claim.lane)
    const width = widths.get(claim.lane) ?? 1
    const found = await candidates(context, claim, width)
    const due = found.filter(({ work }) => work.dueAt <= claim.now)
    const wanted = choose(due, claim.limit, { width, node: context.node })
    if (wanted.length === 0) return { items: [], nextDueAt: earliest(found) }
    slot.batch.wrote = true
    const taken = await take(context, letter, { claim, wanted, slot })
    // Others were faster with some: look further next time, until nobody else is there.
    widths.set(
      claim.lane,
      taken.length < wanted.length ? Math.min(width * 2, WIDEST) : Math.max(1, width / 2),
    )
    const items = await claimedOf(context, letter, { taken, wanted })
    if (taken.length < wanted.length)
      return { items, nextDueAt: earliest(await candidates(context, claim, 1)) }
    const ids = new Set(wanted.map(({ _id }) => _id))
    const left = earliest(found.filter(({ _id }) => !ids.has(_id)))
    return { items, nextDueAt: Math.min(left ?? Infinity, claim.leaseUntil) }
  }
}

/** The first of each rank, due or not: one more than can be taken, so that what is due next is among them. */
async function candidates(
  { collections }: MongoContext,
  { lane, limit, criticalOnly }: Claim,
  width: number,
): Promise<readonly Candidate[]> {
  const name = WORKING[letterOf(lane)]
  const projection = { token: 1, work: 1, state: 1, attempts: 1 }
  const ranks = RANKS.filter((rank) => rank > 0 || criticalOnly !== true)
  const found = await Promise.all(
    ranks.map((rank) =>
      collections[name as 'deliveries']
        .find<Candidate>({ 'work.lane': lane, 'work.rank': rank }, { projection })
        .sort({ 'work.dueAt': 1, 'work.order': 1 })
        .limit(limit * width + 1)
        .toArray(),
    ),
  )
  return found.flat()
}

/** The first ones; of a crowded lane those whose slots come first in this node's own order. */
function choose(
  due: readonly Candidate[],
  limit: number,
  { width, node }: { readonly width: number; readonly node: string },
): readonly Candidate[] {
  if (width <= 1 || due.length <= limit) return due.slice(0, limit)
  const start = [...node].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) & 63, 0)
  const turn = ({ work }: Candidate) => (work.slot - start + 64) & 63
  const chosen = new Set(
    due.toSorted((a, b) => b.work.rank - a.work.rank || turn(a) - turn(b)).slice(0, limit),
  )
  return due.filter((each) => chosen.has(each))
}

function earliest(found: readonly Candidate[]): number | null {
  return found.length === 0 ? null : Math.min(...found.map(({ work }) => work.dueAt))
}

/** Leases what is still as it was found; the documents after that. */
async function take(
  { collections, node }: MongoContext,
  letter: WorkingLetter,
  {
    claim,
    wanted,
    slot,
  }: { readonly claim: Claim; readonly wanted: readonly Candidate[]; readonly slot: Slot },
): Promise<readonly Working[]> {
  const collection = collections[WORKING[letter] as 'deliveries']
  const operations = wanted.map((candidate) => {
    const { _id, token, work } = candidate
    const lost = work.leased && candidate.state === 'sending'
    return {
      updateOne: {
        filter: { _id, token, 'work.dueAt': work.dueAt, 'work.leased': work.leased },
        update: {
          $set: {
            'work.leased': true,
            'work.dueAt': claim.leaseUntil,
            'work.node': node,
            'work.claim': slot.id,
            ...(letter === 'd' && { state: 'sending', nextAttemptAt: null }),
          },
          $inc: { token: 1, 'work.crashes': work.leased ? 1 : 0, ...(letter === 'd' && { attempts: 1 }) },
          ...(lost && {
            $push: { history: { $each: [lostAttempt(claim, candidate)], $slice: -MOST_ATTEMPTS } },
          }),
        },
      },
    }
  })
  await collection.bulkWrite(operations, { ordered: false })
  const ids = wanted.map(({ _id }) => _id)
  return collection.find({ _id: { $in: ids }, 'work.claim': slot.id }).toArray()
}

/** The attempt under way was lost with its holder, who took it one lease ago: every lease is as long as this one. */
function lostAttempt({ leaseUntil, now }: Claim, { work, attempts = 0 }: Candidate): string {
  const startedAt = work.dueAt - (leaseUntil - now)
  const attempt: Attempt = { number: attempts, startedAt, outcome: 'unknown', code: 'interrupted' }
  return JSON.stringify(attempt)
}

/** What was taken with all its holder needs, in the order in which it was due. */
async function claimedOf(
  context: MongoContext,
  letter: WorkingLetter,
  { taken, wanted }: { readonly taken: readonly Working[]; readonly wanted: readonly Candidate[] },
): Promise<readonly Claimed[]> {
  const after = new Map(taken.map((document) => [document._id, document]))
  // The collection of the letter holds documents of its kind.
  const subjects = letter === 'd' ? await subjectsOf(context, taken as readonly DeliveryDocument[]) : null
  return wanted.flatMap((before) => {
    const document = after.get(before._id)
    return document ? [claimed(letter, { document, before, subjects })] : []
  })
}

function claimed(
  letter: WorkingLetter,
  {
    document,
    before,
    subjects,
  }: { readonly document: Working; readonly before: Candidate; readonly subjects: Subjects | null },
): Claimed {
  const held = {
    workId: workIdOf(letter, document._id),
    token: document.token,
    tenant: document.tenant as TenantId,
    dueAt: before.work.dueAt,
    crashes: document.work?.crashes ?? 0,
  }
  switch (letter) {
    case 'a':
      return { ...held, kind: 'escalate', alert: readAlert(document as AlertDocument) }
    case 'g':
      return { ...held, kind: 'digest', digest: readDigest(document as DigestDocument) }
    case 'r':
      return {
        ...held,
        kind: 'release',
        doc: JSON.parse((document as ReleaseDocument).doc) as Record<string, unknown>,
      }
    case 'd': {
      const row = document as DeliveryDocument
      const last = readAttempts(row).at(-1)
      return {
        ...held,
        kind: 'deliver',
        ambiguous: before.work.leased,
        delivery: readDelivery(row),
        notification: subjects?.notification(row) ?? null,
        alert: subjects?.alert(row) ?? null,
        ...(last !== undefined && { last }),
      }
    }
  }
}
