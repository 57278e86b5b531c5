import type { Acceptance, AcceptResult } from '../../store.ts'
import { refuseKnown, type Accepting } from './refuse-known.ts'
import { readAlert } from '../document/alert.ts'
import { leaseOf } from '../document/delivery.ts'
import { keyOf } from '../document/key.ts'
import type { AlertDocument, JournalDocument } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { acceptanceEffects, onceIdOf } from './acceptance-effects.ts'
import { changeAlert, openAlerts, repeatAlert } from './alert.ts'
import type { Batch, Slot } from './batch.ts'
import { pendingPart } from './effects.ts'
import { takeKey } from './once.ts'
import type { Group, Outcome } from './pipeline.ts'
import { alertIdOf } from './touches.ts'
import { aloneOrThrow, insertMissing } from './server-error.ts'

/** Acceptances of one batch that touch nothing in common: one insert for all keys, then one for all opened alerts. */
export function acceptGroup(context: MongoContext): Group<Acceptance, AcceptResult> {
  return {
    async run(batch, items) {
      const outcomes: (Outcome<AcceptResult> | null)[] = items.map(() => null)
      const all = items.flatMap(({ item, slot }, index): Accepting[] => {
        try {
          return [accepting(context, item, slot)]
        } catch (error) {
          outcomes[index] = { error: aloneOrThrow(error) }
          return []
        }
      })
      await refuseKnown(
        context,
        all.filter(({ acceptance }) => acceptance.alert === null),
      )
      await enterJournal(
        context,
        all.filter(({ outcome }) => outcome === null),
      )
      await writeAlerts(
        context,
        all.filter(({ outcome }) => outcome === null),
      )
      await leaveJournal(context, all)
      for (const each of all) if (isAccepted(each)) send(batch, each)
      const left = [...all]
      // Those that could not be prepared have their outcome; the others are left in their order.
      return outcomes.map(
        (outcome) => outcome ?? left.shift()?.outcome ?? { error: new Error('Passed over') },
      )
    },
  }
}

function accepting(context: MongoContext, acceptance: Acceptance, slot: Slot): Accepting {
  const { once, alert, at } = acceptance
  const effects = acceptanceEffects(context, acceptance, slot)
  const part = pendingPart(slot, effects, 1)
  const onceId = once?.check === true ? onceIdOf(acceptance) : null
  const result = JSON.stringify(acceptance.result)
  const key = onceId !== null && once ? { _id: onceId, expiresAt: once.expiresAt } : { _id: slot.id }
  const own = { ...key, by: slot.id, result, at }
  const entry: JournalDocument | null = !alert
    ? { ...own, state: 'kept', pending: [part] }
    : onceId === null
      ? null
      : {
          ...own,
          state: 'prepared',
          alert: { _id: keyOf(acceptance.tenant, alertIdOf(alert)), kind: alert.kind },
          preparedAt: slot.batch.since,
          pending: [],
        }
  return { acceptance, slot, effects, part, entry, outcome: null }
}

/** The commit of those without an alert; the keys of the others. */
async function enterJournal(context: MongoContext, all: readonly Accepting[]): Promise<void> {
  const entering = all.filter(({ entry }) => entry !== null)
  if (entering.length === 0) return
  const entries = entering.flatMap(({ entry }) => (entry ? [entry] : []))
  const known = await insertMissing(context.collections.journal.insertMany(entries, { ordered: false }))
  await Promise.all(
    [...known].map(async (index) => {
      // The indexes are those of `entering`.
      const each = entering[index]!
      try {
        const taken = await takeKey(context, entries[index]!)
        if (taken.kind === 'duplicate')
          each.outcome = {
            reply: { kind: 'duplicate', result: JSON.parse(taken.result) as Record<string, unknown> },
          }
      } catch (error) {
        each.outcome = { error: aloneOrThrow(error) }
      }
    }),
  )
  for (const each of entering) if (each.outcome === null && !each.acceptance.alert) accept(each, null)
}

/** The commit of those with an alert. */
async function writeAlerts(context: MongoContext, all: readonly Accepting[]): Promise<void> {
  const openings = all.flatMap((each) => {
    const { alert } = each.acceptance
    return alert?.kind === 'open'
      ? [{ each, alert: alert.alert, timeline: alert.timeline, part: each.part }]
      : []
  })
  const repeats = new Map<string, Accepting[]>()
  for (const each of all) {
    const { alert, tenant } = each.acceptance
    if (alert?.kind !== 'repeat') continue
    const _id = keyOf(tenant, alert.alertId)
    repeats.set(_id, [...(repeats.get(_id) ?? []), each])
  }
  const open = async () => {
    const stale = await openAlerts(context, openings)
    for (const [index, { each }] of openings.entries())
      if (stale.has(index)) each.outcome = { reply: { kind: 'stale' } }
      else accept(each, null)
  }
  const repeat = async ([_id, same]: readonly [string, readonly Accepting[]]) => {
    const given = same.map(({ acceptance, slot, part }) => ({ _id, at: acceptance.at, id: slot.id, part }))
    const documents = await repeatAlert(context, given)
    for (const [index, each] of same.entries()) conclude(each, documents[index] ?? null)
  }
  const change = async (each: Accepting) => {
    const { alert } = each.acceptance
    if (alert?.kind !== 'change') return
    const changed = await changeAlert(context, alert.change, each)
    conclude(each, changed.kind === 'done' ? changed.document : null)
  }
  await Promise.all([open(), ...[...repeats].map(repeat), ...all.map(change)])
}

function conclude(each: Accepting, document: AlertDocument | null): void {
  if (document) accept(each, document)
  else each.outcome = { reply: { kind: 'stale' } }
}

function accept(each: Accepting, document: AlertDocument | null): void {
  const leases = (each.effects.deliveries ?? []).flatMap((delivery) => leaseOf(delivery) ?? [])
  const alert = document && readAlert(document)
  each.outcome = { reply: { kind: 'accepted', seqs: each.slot.seqs, alert, leases } }
}

function isAccepted({ outcome }: Accepting): boolean {
  return outcome !== null && 'reply' in outcome && outcome.reply.kind === 'accepted'
}

/** Takes back the keys of what turned out stale. */
async function leaveJournal({ collections }: MongoContext, all: readonly Accepting[]): Promise<void> {
  const ids = all.flatMap((each) => (each.entry?.state === 'prepared' && isStale(each) ? [each.entry] : []))
  if (ids.length === 0) return
  await collections.journal.deleteMany({
    _id: { $in: ids.map(({ _id }) => _id) },
    by: { $in: ids.map(({ by }) => by) },
    state: 'prepared',
  })
}

function isStale({ outcome }: Accepting): boolean {
  return outcome !== null && 'reply' in outcome && outcome.reply.kind === 'stale'
}

function send(batch: Batch, { acceptance, effects, part, entry }: Accepting): void {
  batch.wrote = true
  const { alert, tenant } = acceptance
  if (alert) batch.outgoing.push({ from: 'alerts', _id: keyOf(tenant, alertIdOf(alert)), part, effects })
  else if (entry) batch.outgoing.push({ from: 'journal', _id: entry._id, part, effects })
}
