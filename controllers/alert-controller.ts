import Type, { type Static } from 'typebox'
import type { AlertCommandDecision, AlertLevel, Context, Decision, Handler } from '#engine'
import { Data, MessageId, Span, spanMs, Text } from './fields.ts'

export const AlertBody = Type.Object(
  {
    message: Text,
    source: Type.Optional(Type.String({ maxLength: 255 })),
    severity: Type.Optional(Type.String({ maxLength: 20, description: 'The level of the topic wins' })),
    affected_systems: Type.Optional(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 100 })),
    dedup_key: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: 'By default {alert_type}:{source}' }),
    ),
    status: Type.Optional(
      Type.Union([Type.Literal('firing'), Type.Literal('resolved')], { default: 'firing' }),
    ),
    data: Data,
    id: MessageId,
  },
  {
    examples: [
      {
        message: 'Database connection failed',
        source: 'database_monitor',
        affected_systems: ['user_service', 'order_service'],
      },
    ],
  },
)
type AlertBody = Static<typeof AlertBody>

export const AlertCommandBody = Type.Object(
  {
    note: Type.Optional(Type.String({ maxLength: 4096 })),
    for: Span,
    user: Type.Optional(Type.String({ maxLength: 128 })),
    team: Type.Optional(Type.String({ maxLength: 128, description: '`reassign`: to which team' })),
    id: MessageId,
  },
  { examples: [{ note: 'On it' }, { for: '30m' }] },
)
type AlertCommandBody = Static<typeof AlertCommandBody>

function raise(level: AlertLevel, context: Context<{ alertType: string }, AlertBody>): Decision {
  const { body } = context
  return {
    kind: 'alert',
    level,
    alertType: context.params.alertType,
    status: body.status ?? 'firing',
    message: body.message,
    source: body.source ?? null,
    affectedSystems: body.affected_systems ?? [],
    dedupKey: body.dedup_key ?? null,
    // Who looks at the alert can tell a device that died from one that complains.
    data: { ...body.data, ...(context.publish.will === true && { will: true }) },
  }
}

/** R22, R23: `{status: "critical_alert_sent", alert_id, notified_users}`. */
export function handleCriticalAlert(context: Context<{ alertType: string }, AlertBody>): Decision {
  return raise('critical', context)
}

/** R32: `{status: "warning_alert_sent", …}`. */
export function handleWarningAlert(context: Context<{ alertType: string }, AlertBody>): Decision {
  return raise('warning', context)
}

/** R33: `{status: "info_alert_sent", …}`. */
export function handleInfoAlert(context: Context<{ alertType: string }, AlertBody>): Decision {
  return raise('info', context)
}

/** `alerts/{alert_id}/{verb}` (contract section 6): whether the caller may is decided with the alert at hand. */
export function commandAlert(
  verb: AlertCommandDecision['verb'],
): Handler<{ alertId: string }, AlertCommandBody> {
  return (context) => ({
    kind: 'alert-command',
    alertId: context.params.alertId,
    verb,
    note: context.body.note,
    forMs: spanMs('for', context.body.for),
    user: context.body.user,
    team: context.body.team,
  })
}
