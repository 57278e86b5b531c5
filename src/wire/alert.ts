import Type from 'typebox'
import { ALERT_LEVELS, ALERT_STATUSES, type Alert, type TimelineEntry } from '../alert/alert.ts'
import { acksRequired } from '../alert/escalation/policy.ts'
import { isIdleTimer } from '../alert/escalation/idle.ts'
import { epochSeconds, rfc3339 } from './instant.ts'

const instant = () => Type.String({ format: 'date-time' })
const nullable = (schema: ReturnType<typeof Type.String>) => Type.Union([schema, Type.Null()])

/** What {@link renderAlert} makes (contract section 6). */
export const AlertSchema = Type.Object(
  {
    id: Type.String(),
    type: Type.String(),
    severity: Type.Union(ALERT_LEVELS.map((level) => Type.Literal(level))),
    message: Type.String(),
    source: nullable(Type.String()),
    affected_systems: Type.Array(Type.String()),
    data: Type.Record(Type.String(), Type.Unknown()),
    dedup_key: Type.String(),
    status: Type.Union(ALERT_STATUSES.map((status) => Type.Literal(status))),
    acknowledged: Type.Boolean(),
    acknowledged_by: nullable(Type.String()),
    acknowledged_at: nullable(instant()),
    acknowledged_via: nullable(Type.String({ description: '`mqtt`, `http`, `outbox`, …' })),
    team: nullable(Type.String()),
    step: Type.Integer({ description: 'The last step that fired, from 1; 0 before the first' }),
    next_step_at: nullable(instant()),
    count: Type.Integer({ description: 'How many publishes it stands for' }),
    timestamp: Type.Number({ description: 'Epoch seconds' }),
    created_at: instant(),
    resolved_at: nullable(instant()),
    suppressed_by: nullable(Type.String()),
    acknowledgements: Type.Optional(
      Type.Array(Type.Object({ by: Type.String(), via: Type.String(), at: instant() }), {
        description: 'Where several people must acknowledge: who has so far',
      }),
    ),
    group: Type.Optional(
      Type.Object(
        { count: Type.Integer(), alerts: Type.Array(Type.String()) },
        { description: 'The other alerts for which its pages stand' },
      ),
    ),
    acks_required: Type.Optional(
      Type.Integer({ description: 'How many people must acknowledge; absent when one is enough' }),
    ),
  },
  {
    $id: 'Alert',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f11',
        type: 'system_failure',
        severity: 'critical',
        message: 'Database connection failed',
        source: 'database_monitor',
        affected_systems: ['user_service', 'order_service'],
        data: {},
        dedup_key: 'system_failure:database_monitor',
        status: 'firing',
        acknowledged: false,
        acknowledged_by: null,
        acknowledged_at: null,
        acknowledged_via: null,
        team: 'platform',
        step: 1,
        next_step_at: '2026-01-05T12:05:00.000Z',
        count: 1,
        timestamp: 1767614400,
        created_at: '2026-01-05T12:00:00.000Z',
        resolved_at: null,
        suppressed_by: null,
      },
    ],
  },
)

/** What {@link renderTimelineEntry} makes. */
export const TimelineEntrySchema = Type.Object(
  {
    at: instant(),
    kind: Type.String(),
    by: Type.String(),
    via: Type.Optional(Type.String()),
    step: Type.Optional(Type.Integer()),
    repeat: Type.Optional(Type.Integer()),
    text: Type.Optional(Type.String()),
    users: Type.Optional(Type.Array(Type.String())),
    ref: Type.Optional(Type.String({ description: 'Such as silence:<id>' })),
  },
  {
    $id: 'TimelineEntry',
    examples: [{ at: '2026-01-05T12:00:00.000Z', kind: 'step', by: 'carillon', step: 1, users: ['anna'] }],
  },
)

/** An alert on the wire, over MQTT and HTTP alike. */
export function renderAlert(alert: Alert) {
  return {
    id: alert.id,
    type: alert.type,
    severity: alert.severity,
    message: alert.message,
    source: alert.source,
    affected_systems: alert.affectedSystems,
    data: alert.data,
    dedup_key: alert.dedupKey,
    status: alert.status,
    // A resolved alert stays acknowledged if somebody took it on before; one that re-opened does not.
    acknowledged: alert.status !== 'firing' && alert.acknowledgedAt !== null,
    acknowledged_by: alert.acknowledgedBy,
    acknowledged_at: rfc3339(alert.acknowledgedAt),
    acknowledged_via: alert.acknowledgedVia,
    team: alert.team,
    step: alert.step,
    // Closing an idle alert is no step.
    next_step_at: isIdleTimer(alert) ? null : rfc3339(alert.nextStepAt),
    count: alert.count,
    timestamp: epochSeconds(alert.createdAt),
    created_at: rfc3339(alert.createdAt),
    resolved_at: rfc3339(alert.resolvedAt),
    suppressed_by: alert.suppressedBy,
    ...renderTogether(alert),
    ...(alert.group &&
      alert.group.alerts.length > 0 && {
        group: { count: alert.group.alerts.length, alerts: alert.group.alerts.map(({ id }) => id) },
      }),
  }
}

function renderTogether(alert: Alert) {
  const required = acksRequired(alert)
  const acks = alert.acks ?? []
  if (required === 1 && acks.length === 0) return {}
  return {
    acknowledgements: acks.map(({ by, via, at }) => ({ by, via, at: rfc3339(at) })),
    acks_required: required,
  }
}

/** One line of an alert's history on the wire. */
export function renderTimelineEntry({ at, ...entry }: TimelineEntry) {
  return { at: rfc3339(at), ...entry }
}
