import Type, { type Static } from 'typebox'
import { fault } from '../errors.ts'
import { firstText, keyOf, levelOf, typeOf, type HookAlert } from './hook-alert.ts'

/** PagerDuty Events API v2: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ */
export const PagerDutyBody = Type.Object(
  {
    routing_key: Type.Optional(
      Type.String({ description: 'The token of the client, unless a header has it' }),
    ),
    event_action: Type.Enum(['trigger', 'acknowledge', 'resolve']),
    dedup_key: Type.Optional(Type.String({ minLength: 1 })),
    payload: Type.Optional(
      Type.Object({
        summary: Type.String({ minLength: 1 }),
        source: Type.Optional(Type.String()),
        severity: Type.Optional(Type.String()),
        timestamp: Type.Optional(Type.String()),
        component: Type.Optional(Type.String()),
        group: Type.Optional(Type.String()),
        class: Type.Optional(Type.String()),
        custom_details: Type.Optional(Type.Unknown()),
      }),
    ),
    client: Type.Optional(Type.String()),
    client_url: Type.Optional(Type.String()),
    links: Type.Optional(Type.Array(Type.Unknown())),
  },
  {
    examples: [
      {
        event_action: 'trigger',
        dedup_key: 'disk-db-1',
        payload: { summary: 'The disk is full', source: 'db-1', severity: 'critical' },
      },
    ],
  },
)
type Body = Static<typeof PagerDutyBody>

const ACTIONS = { trigger: 'fire', acknowledge: 'acknowledge', resolve: 'resolve' } as const

/** One event. A trigger without a key gets `newKey`, which the sender is told. */
export function fromPagerDuty(body: Body, newKey: string): { alert: HookAlert; dedupKey: string } {
  const { payload, dedup_key: given, event_action: action } = body
  if (given === undefined && action !== 'trigger')
    throw fault('request.invalid', `${action} needs the dedup_key of its trigger`, { field: 'dedup_key' })
  if (payload === undefined && action === 'trigger')
    throw fault('request.invalid', 'trigger needs a payload', { field: 'payload' })
  const dedupKey = given ?? newKey
  const { summary, source, severity, timestamp, component, group, class: kind } = payload ?? {}
  const alert: HookAlert = {
    action: ACTIONS[action],
    level: severity === undefined ? 'critical' : levelOf(severity),
    type: typeOf(kind, component, 'pagerduty'),
    message: firstText(summary) ?? action,
    source: firstText(source),
    dedupKey: keyOf('pagerduty', dedupKey),
    data: Object.fromEntries(
      Object.entries({
        component,
        group,
        class: kind,
        timestamp,
        details: payload?.custom_details,
        client: body.client,
        url: body.client_url,
        links: body.links,
      }).filter(([, value]) => value !== undefined),
    ),
  }
  return { alert, dedupKey }
}
