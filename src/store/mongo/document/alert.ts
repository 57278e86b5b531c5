import type { Alert, TimelineEntry } from '../../../alert/alert.ts'
import type { AlertDocument, TimelineDocument } from '../collections.ts'
import { keyOf } from './key.ts'
import { newWork } from './work.ts'

/** The fields of an alert that a change sets. */
export function alertFields(alert: Alert, _id: string) {
  const open = alert.status !== 'resolved'
  return {
    openKey: open ? openKeyOf(alert.tenant, alert.dedupKey) : closedKeyOf(_id),
    open,
    status: alert.status,
    severity: alert.severity,
    team: alert.team,
    version: alert.version,
    nextStepAt: alert.nextStepAt,
    doc: JSON.stringify(alert),
  } as const
}

/** What an open alert or digest holds alone. */
export function openKeyOf(tenant: string, key: string): string {
  return `open ${keyOf(tenant, key)}`
}

/** What stands in its place after its end. */
export function closedKeyOf(_id: string): string {
  return `closed ${_id}`
}

/** A new alert with its timer. */
export function alertDocument(
  alert: Alert,
  { order, timeline }: { readonly order: number; readonly timeline: readonly TimelineEntry[] },
): AlertDocument {
  const _id = keyOf(alert.tenant, alert.id)
  return {
    _id,
    tenant: alert.tenant,
    id: alert.id,
    ...alertFields(alert, _id),
    createdAt: alert.createdAt,
    order,
    count: alert.count,
    lastAt: alert.lastAt,
    ended: timeline.some(isEnd),
    token: 0,
    marks: [],
    pending: [],
    ...(alert.nextStepAt !== null && {
      work: newWork(_id, { lane: 'escalate', dueAt: alert.nextStepAt, order }),
    }),
  }
}

/** After these nothing is to be expected of an alert that has no timer. */
export function isEnd({ kind }: TimelineEntry): boolean {
  return kind === 'finished' || kind === 'stale'
}

/** `count`, `lastAt` and `nextStepAt` move without the document. Documents of earlier versions do not know `pagesFrom`. */
export function readAlert({ doc, count, lastAt, nextStepAt }: AlertDocument): Alert {
  return { pagesFrom: 0, ...(JSON.parse(doc) as Omit<Alert, 'pagesFrom'>), count, lastAt, nextStepAt }
}

/** The entries that a version of an alert adds. */
export function timelineDocuments(
  alert: Pick<Alert, 'tenant' | 'id' | 'version'>,
  entries: readonly TimelineEntry[],
  order: () => number,
): readonly TimelineDocument[] {
  const { tenant, id: alertId, version } = alert
  return entries.map((entry, place) => ({
    _id: `${keyOf(tenant, alertId)}|${version}|${place}`,
    tenant,
    alertId,
    version,
    place,
    order: order(),
    ...(entry.ref !== undefined && { ref: entry.ref }),
    entry: JSON.stringify(entry),
  }))
}
