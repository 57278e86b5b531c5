import Type, { type Static } from 'typebox'
import { firstText, keyOf, keyOfLabels, levelOf, typeOf, type HookAlert } from './hook-alert.ts'

const Words = Type.Record(Type.String(), Type.String())

export const PrometheusAlert = Type.Object({
  status: Type.Optional(Type.Enum(['firing', 'resolved'])),
  labels: Words,
  annotations: Type.Optional(Words),
  startsAt: Type.Optional(Type.String()),
  endsAt: Type.Optional(Type.String()),
  generatorURL: Type.Optional(Type.String()),
  fingerprint: Type.Optional(Type.String()),
  dashboardURL: Type.Optional(Type.String()),
  panelURL: Type.Optional(Type.String()),
  silenceURL: Type.Optional(Type.String()),
  valueString: Type.Optional(Type.String()),
})

/** Webhook of the Prometheus Alertmanager, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export const AlertmanagerBody = Type.Object(
  {
    version: Type.Optional(Type.String()),
    groupKey: Type.Optional(Type.String()),
    status: Type.Optional(Type.String()),
    receiver: Type.Optional(Type.String()),
    externalURL: Type.Optional(Type.String()),
    alerts: Type.Array(PrometheusAlert, { maxItems: 500 }),
  },
  {
    examples: [
      {
        version: '4',
        status: 'firing',
        receiver: 'carillon',
        alerts: [
          {
            status: 'firing',
            labels: { alertname: 'DiskFull', severity: 'critical', instance: 'db-1' },
            annotations: { summary: 'The disk is full' },
            fingerprint: 'c0ffee',
          },
        ],
      },
    ],
  },
)

/** Each alert of the group on its own; its fingerprint is its key. */
export function fromAlertmanager(body: Static<typeof AlertmanagerBody>): readonly HookAlert[] {
  return body.alerts.map((alert) => fromPrometheus('alertmanager', alert))
}

/** One alert as Alertmanager and Grafana send it; the key is the sender's name and fingerprint. */
export function fromPrometheus(sender: string, alert: Static<typeof PrometheusAlert>): HookAlert {
  const { labels, annotations = {} } = alert
  const { alertname, severity } = labels
  const key = firstText(alert.fingerprint) ?? keyOfLabels(labels)
  return {
    action: alert.status === 'resolved' ? 'resolve' : 'fire',
    level: levelOf(severity),
    type: typeOf(alertname),
    message:
      firstText(annotations['summary'], annotations['message'], annotations['description'], alertname) ??
      'Alert',
    source: firstText(labels['instance'], labels['host'], labels['pod'], labels['service'], labels['job']),
    dedupKey: keyOf(sender, key),
    data: {
      labels,
      annotations,
      ...(alert.startsAt !== undefined && { starts_at: alert.startsAt }),
      ...(alert.generatorURL !== undefined && { url: alert.generatorURL }),
      ...(firstText(alert.dashboardURL) !== null && { dashboard_url: alert.dashboardURL }),
      ...(firstText(alert.valueString) !== null && { value: alert.valueString }),
    },
  }
}
