import type { Alert, TimelineEntry } from '../../../alert/alert.ts'
import type { AlertChange } from '../../store.ts'
import type { AlertDocument, PendingPart } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { alertDocument, alertFields, isEnd } from '../document/alert.ts'
import { keyOf } from '../document/key.ts'
import { newWork, placeOf } from '../document/work.ts'
import type { Slot } from './batch.ts'
import { changeEffects } from './acceptance-effects.ts'
import { isEmpty, pendingPart } from './effects.ts'
import { isDuplicate } from '../connection/store-error.ts'
import { insertMissing } from './server-error.ts'

/** What a write that lost its key to another is marked with, so that it does not happen after that. */
export function refusalOf(id: string): string {
  return `not ${id}`
}

/** An alert to be opened, with what follows from it. */
export interface Opening {
  readonly alert: Alert
  readonly timeline: readonly TimelineEntry[]
  readonly part: PendingPart | null
}

/** Opens alerts; which of them found their dedup key taken. */
export async function openAlerts(
  { collections: { alerts }, order }: MongoContext,
  openings: readonly Opening[],
): Promise<ReadonlySet<number>> {
  if (openings.length === 0) return new Set()
  const documents = openings.map(({ alert, timeline, part }) => ({
    ...alertDocument(alert, { order: order(), timeline }),
    pending: part ? [part] : [],
  }))
  return insertMissing(alerts.insertMany(documents, { ordered: false }))
}

/** A publish that an open alert stands for once more. */
export interface Repeat {
  readonly _id: string
  readonly at: number
  readonly id: string
  readonly part: PendingPart | null
}

/** Counts repeats of one alert in one write; the alert after each, null for those that found it resolved or gone. */
export async function repeatAlert(
  context: MongoContext,
  repeats: readonly Repeat[],
): Promise<readonly (AlertDocument | null)[]> {
  const [first] = repeats
  if (!first) return []
  const { alerts } = context.collections
  const parts = repeats.flatMap(({ part }) => (part ? [part] : []))
  const found = await alerts.findOneAndUpdate(
    { _id: first._id, open: true, marks: { $nin: repeats.map(({ id }) => refusalOf(id)) } },
    {
      $inc: { count: repeats.length },
      $max: { lastAt: Math.max(...repeats.map(({ at }) => at)) },
      ...(parts.length > 0 && { $push: { pending: { $each: parts } } }),
    },
    { returnDocument: 'before' },
  )
  if (!found) {
    if (repeats.length === 1) return [null]
    // One of them may have lost its key; the others have not.
    const apart: (AlertDocument | null)[] = []
    for (const repeat of repeats) apart.push(...(await repeatAlert(context, [repeat])))
    return apart
  }
  let after: AlertDocument = found
  return repeats.map(
    ({ at }) => (after = { ...after, count: after.count + 1, lastAt: Math.max(after.lastAt, at) }),
  )
}

export type Changed =
  | { readonly kind: 'done'; readonly document: AlertDocument }
  | { readonly kind: 'stale' | 'fenced' }

/** Moves an alert on in one write that carries what follows from it. */
export async function changeAlert(
  { collections: { alerts }, order }: MongoContext,
  change: AlertChange,
  { slot, part }: { readonly slot: Slot; readonly part: PendingPart | null },
): Promise<Changed> {
  const { tenant, alertId, alert, expectVersion, claimed } = change
  const _id = keyOf(tenant, alertId)
  const place = claimed && placeOf(claimed.workId)
  if (claimed && (place?.letter !== 'a' || place._id !== _id)) return { kind: 'fenced' }
  const held = claimed ? { token: claimed.token, 'work.leased': true } : {}
  // Whoever holds the timer at this moment is fenced by the lease that is gone.
  const dueAt = alert.nextStepAt
  const timer =
    dueAt === null
      ? { $unset: { work: '' as const } }
      : { $set: { work: newWork(_id, { lane: 'escalate', dueAt, order: order() }) } }
  const { openKey, open, status, severity, team, version, nextStepAt, doc } = alertFields(alert, _id)
  const ends = change.timeline.some(isEnd) ? { ended: true } : {}
  try {
    const document = await alerts.findOneAndUpdate(
      { _id, version: expectVersion, marks: { $ne: refusalOf(slot.id) }, ...held },
      {
        ...timer,
        $set: { openKey, open, status, severity, team, version, nextStepAt, doc, ...ends, ...timer.$set },
        ...(change.counts === true && { $inc: { count: 1 }, $max: { lastAt: change.at } }),
        ...(part && { $push: { pending: part } }),
      },
      { returnDocument: 'after' },
    )
    if (document) return { kind: 'done', document }
  } catch (error) {
    // Another alert has taken the dedup key since this one was resolved.
    if (isDuplicate(error)) return { kind: 'stale' }
    throw error
  }
  if (!claimed) return { kind: 'stale' }
  const current = await alerts.findOne({ _id }, { projection: { token: 1, work: 1 } })
  const holds = current?.token === claimed.token && current.work?.leased === true
  return { kind: holds ? 'stale' : 'fenced' }
}

/** The write behind `Store.changeAlert`. */
export async function changeOne(
  context: MongoContext,
  change: AlertChange,
  slot: Slot,
): Promise<Changed['kind']> {
  const effects = changeEffects(context, change, slot.seqs)
  const part = isEmpty(effects) ? null : pendingPart(slot, effects)
  const { kind } = await changeAlert(context, change, { slot, part })
  if (kind !== 'done') return kind
  slot.batch.wrote = true
  if (part)
    slot.batch.outgoing.push({ from: 'alerts', _id: keyOf(change.tenant, change.alertId), part, effects })
  return kind
}
