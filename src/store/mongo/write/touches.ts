import type { TenantId } from '../../../access/principal.ts'
import type { Acceptance } from '../../store.ts'
import { keyOf } from '../document/key.ts'
import type { Touch } from './pipeline.ts'

/** What an acceptance touches. */
export function acceptTouches(acceptance: Acceptance): readonly Touch[] {
  const { tenant, principal, once, alert, deadLetter, deliveries, states = [], release } = acceptance
  const touches: Touch[] = [[`inbox ${tenant}`, 'add']]
  if (once) touches.push([`once ${keyOf(tenant, principal, once.key)}`, 'alone'])
  for (const { delivery, lane } of deliveries)
    touches.push(...deliveryTouches(tenant, delivery), [`lane ${lane}`, 'add'])
  if (release) touches.push(['lane release', 'add'])
  if (deadLetter) touches.push([`letter ${keyOf(tenant, deadLetter.id)}`, 'alone'], ['dead letters', 'add'])
  for (const { name } of states) touches.push([`state ${keyOf(tenant, name)}`, 'alone'])
  if (alert?.kind === 'repeat') touches.push([`alert ${keyOf(tenant, alert.alertId)}`, 'repeat'])
  if (alert?.kind === 'open') touches.push(...changeTouches(tenant, alert.alert))
  if (alert?.kind === 'change') {
    touches.push(...changeTouches(tenant, alert.change.alert))
    for (const { delivery, lane } of alert.change.deliveries)
      touches.push(...deliveryTouches(tenant, delivery), [`lane ${lane}`, 'add'])
  }
  return touches
}

/** What a new state of an alert touches. */
export function changeTouches(
  tenant: TenantId,
  alert: { readonly id: string; readonly dedupKey: string },
): readonly Touch[] {
  return [
    [`alert ${keyOf(tenant, alert.id)}`, 'alone'],
    [`dedup ${keyOf(tenant, alert.dedupKey)}`, 'alone'],
    ['lane escalate', 'add'],
    // It ends pages that a claim could take.
    ['work', 'end'],
    ['audit', 'add'],
  ]
}

function deliveryTouches(
  tenant: TenantId,
  {
    id,
    subjectId,
    subjectKind,
  }: { readonly id: string; readonly subjectId: string; readonly subjectKind: string },
): readonly Touch[] {
  const page: readonly Touch[] =
    subjectKind === 'alert' ? [[`alert ${keyOf(tenant, subjectId)}`, 'page']] : []
  return [[`delivery ${keyOf(tenant, id)}`, 'alone'], [`subject ${subjectId}`, 'add'], ...page]
}

/** What no urgent write may overtake an acceptance by. */
export function acceptKeys({ tenant, principal, alert }: Acceptance): readonly string[] {
  const sender = `principal ${tenant} ${principal}`
  return alert ? [sender, alertKeyOf(tenant, alertIdOf(alert))] : [sender]
}

export function alertKeyOf(tenant: TenantId, alertId: string): string {
  return `alert ${tenant} ${alertId}`
}

/** The alert that an acceptance is about. */
export function alertIdOf(alert: NonNullable<Acceptance['alert']>): string {
  return alert.kind === 'open'
    ? alert.alert.id
    : alert.kind === 'repeat'
      ? alert.alertId
      : alert.change.alertId
}
