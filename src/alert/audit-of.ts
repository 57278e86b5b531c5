import type { NewAuditEntry } from '../audit/entry.ts'
import type { Alert, TimelineEntry } from './alert.ts'

const ACTIONS: Readonly<Record<TimelineEntry['kind'], string>> = {
  opened: 'alert.open',
  repeated: 'alert.repeat',
  step: 'alert.step',
  skipped: 'alert.skip',
  waiting: 'alert.wait',
  stale: 'alert.stale',
  fallback: 'alert.fallback',
  partly_acknowledged: 'alert.partly_ack',
  reminded: 'alert.remind',
  finished: 'alert.finish',
  acknowledged: 'alert.ack',
  unacknowledged: 'alert.unack',
  escalated: 'alert.escalate',
  snoozed: 'alert.snooze',
  returned: 'alert.return',
  suppressed: 'alert.suppress',
  promoted: 'alert.promote',
  reassigned: 'alert.reassign',
  grouped: 'alert.group',
  note: 'alert.note',
  resolved: 'alert.resolve',
}

/** What the audit log says about a change: every entry of its timeline, without the words of people. */
export function auditOf(
  { tenant, id }: Pick<Alert, 'tenant' | 'id'>,
  timeline: readonly TimelineEntry[],
): readonly NewAuditEntry[] {
  return timeline.map(({ at, kind, by, via, step, repeat, users, ref }) => ({
    tenant,
    at,
    actor: by,
    via: via ?? 'engine',
    action: ACTIONS[kind],
    subject: id,
    detail: {
      ...(step !== undefined && { step }),
      ...(repeat !== undefined && { repeat }),
      ...(users !== undefined && { users }),
      ...(ref !== undefined && { ref }),
    },
  }))
}
