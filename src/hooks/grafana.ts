import Type, { type Static } from 'typebox'
import { fault } from '../errors.ts'
import { fromPrometheus, PrometheusAlert } from './alertmanager.ts'
import { firstText, keyOf, typeOf, type HookAlert } from './hook-alert.ts'

/**
 * Webhook of Grafana Alerting (`alerts`), and of the alerting before Grafana 9 (`state`):
 * https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
 */
export const GrafanaBody = Type.Object(
  {
    receiver: Type.Optional(Type.String()),
    status: Type.Optional(Type.String()),
    orgId: Type.Optional(Type.Integer()),
    title: Type.Optional(Type.String()),
    state: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
    alerts: Type.Optional(Type.Array(PrometheusAlert, { maxItems: 500 })),
    ruleId: Type.Optional(Type.Integer()),
    ruleName: Type.Optional(Type.String()),
    ruleUrl: Type.Optional(Type.String()),
  },
  {
    examples: [
      {
        status: 'firing',
        orgId: 1,
        alerts: [
          {
            status: 'firing',
            labels: { alertname: 'DiskFull' },
            annotations: { summary: 'The disk is full' },
            fingerprint: 'c0ffee',
          },
        ],
      },
    ],
  },
)

/** Each alert of the group on its own, keyed by its fingerprint, or the one rule of an old Grafana by its id. */
export function fromGrafana(body: Static<typeof GrafanaBody>): readonly HookAlert[] {
  if (body.alerts !== undefined) return body.alerts.map((alert) => fromPrometheus('grafana', alert))
  const { ruleId, ruleName, state } = body
  if (state === undefined || (ruleId === undefined && ruleName === undefined))
    throw fault('request.invalid', 'A message of Grafana has alerts, or state and ruleId')
  return [
    {
      action: state === 'ok' || state === 'paused' ? 'resolve' : 'fire',
      level: state === 'no_data' ? 'warning' : 'critical',
      type: typeOf(ruleName),
      message: firstText(body.message, body.title, ruleName) ?? 'Alert',
      source: firstText(ruleName),
      dedupKey: keyOf('grafana', `${body.orgId ?? 1}:${ruleId ?? ruleName}`),
      data: { state, ...(body.ruleUrl !== undefined && { url: body.ruleUrl }) },
    },
  ]
}
