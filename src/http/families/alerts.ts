import Type from 'typebox'
import { ALERT_VERBS, mayPublish, type AlertVerb } from '../../access/grants.ts'
import { isOperator, type Principal } from '../../access/principal.ts'
import { ALERT_LEVELS, ALERT_STATUSES } from '../../alert/alert.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import type { AlertCommandDecision } from '../../notification/decision.ts'
import { AlertSchema, renderAlert, renderTimelineEntry } from '../../wire/alert.ts'
import { renderDelivery } from '../../wire/delivery.ts'
import { parseDuration } from '../../duration.ts'
import { DurationText, FAILURES, IdParams, listOf, pageQuery, shared, type App } from '../app.ts'
import { caller } from '../guard.ts'

/** More than any alert has; the rest is on `/v1/deliveries?alert_id=`. */
const MOST_DELIVERIES = 1000

const AlertDetail = Type.Object(
  {
    ...AlertSchema.properties,
    timeline: Type.Array(Type.Ref('TimelineEntry#')),
    deliveries: Type.Array(Type.Ref('Delivery#')),
  },
  { description: 'The alert, what happened to it, and who was told how' },
)

const Command = Type.Object(
  {
    note: Type.Optional(Type.String({ maxLength: 4096 })),
    for: Type.Optional(
      Type.Union([Type.Number({ minimum: 0.001, maximum: 3e9 }), DurationText('Such as 30m')], {
        description: '`snooze`: how long, such as 30m, or a number of seconds',
      }),
    ),
    user: Type.Optional(Type.String({ maxLength: 200, description: '`reassign`: to whom' })),
    team: Type.Optional(
      Type.String({ maxLength: 200, description: '`reassign`: to which team, whose policy then starts' }),
    ),
  },
  { description: 'May be absent', examples: [{ note: 'On it' }, { for: '30m' }, { user: 'bob' }] },
)

/** What two of the verbs cannot do without. */
const BODIES: Readonly<Partial<Record<AlertVerb, typeof Command>>> = {
  snooze: Type.Object(Command.properties, { required: ['for'], examples: [{ for: '30m' }] }),
  reassign: Type.Object(Command.properties, {
    anyOf: [{ required: ['user'] }, { required: ['team'] }],
    examples: [{ user: 'bob' }, { team: 'network' }],
  }),
}

const COMMAND_ERRORS = [
  'publish.unknown_alert',
  'publish.unknown_user',
  'publish.unknown_team',
  'alert.forbidden',
  'alert.closed',
  'alert.suppressed',
  'alert.snooze_too_long',
  'alert.no_policy',
] as const

const SUMMARIES: Readonly<Record<AlertVerb, string>> = {
  ack: 'Take the alert on; no page is sent any more',
  unack: 'Give it back; the escalation goes on',
  escalate: 'Go to the next step now',
  snooze: 'Be quiet for a while',
  resolve: 'It is over',
  note: 'Write something down',
  reassign: 'Hand it to somebody else, or to another team',
}

/** `/v1/alerts` (contract section 6). Everybody sees the alerts of their tenant; who may act is the engine's to say. */
export function alerts(app: App, engine: Engine): void {
  const { store } = engine

  app.get(
    '/alerts',
    {
      schema: {
        summary: 'Alerts, newest first',
        tags: ['alerts'],
        querystring: Type.Object({
          ...pageQuery,
          status: Type.Optional(Type.Enum([...ALERT_STATUSES])),
          severity: Type.Optional(Type.Enum([...ALERT_LEVELS])),
          team: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: { 200: listOf('Alert', 'One page'), ...FAILURES },
      },
    },
    async (request) => {
      const { limit, cursor, status, severity, team } = request.query
      const page = await store.alerts({
        tenant: reader(caller(request)).tenant,
        limit,
        ...(cursor !== undefined && { cursor }),
        ...(status !== undefined && { status }),
        ...(severity !== undefined && { severity }),
        ...(team !== undefined && { team }),
      })
      return {
        items: page.items.map(renderAlert),
        ...(page.nextCursor !== null && { next_cursor: page.nextCursor }),
      }
    },
  )

  app.get(
    '/alerts/:id',
    {
      config: { errors: ['publish.unknown_alert'] },
      schema: {
        summary: 'One alert with its timeline and deliveries',
        tags: ['alerts'],
        params: IdParams,
        response: { 200: AlertDetail, ...FAILURES },
      },
    },
    async (request) => {
      const { tenant } = reader(caller(request))
      const { id } = request.params
      const alert = await store.alert(tenant, id)
      if (!alert) throw fault('publish.unknown_alert')
      const [timeline, deliveries] = await Promise.all([
        store.timeline(tenant, id),
        store.deliveries({ tenant, subjectId: id, limit: MOST_DELIVERIES }),
      ])
      return {
        ...renderAlert(alert),
        timeline: timeline.map(renderTimelineEntry),
        deliveries: deliveries.items.map(renderDelivery),
      }
    },
  )

  for (const verb of ALERT_VERBS) {
    app.post(
      `/alerts/:id/${verb}`,
      {
        config: { errors: COMMAND_ERRORS },
        schema: {
          summary: SUMMARIES[verb],
          tags: ['alerts'],
          params: IdParams,
          body: BODIES[verb] ?? Command,
          response: { 200: shared('Alert', 'The alert as it is now'), ...FAILURES },
        },
      },
      async (request) => {
        const by = caller(request)
        const { id } = request.params
        // Asked first: whether an alert of another tenant exists is nobody's business.
        if (!(await store.alert(by.tenant, id))) throw fault('publish.unknown_alert')
        if (by.kind === 'client' && !mayPublish(by, `alerts/${id}/${verb}`)) {
          throw fault(
            'alert.forbidden',
            `A client needs a grant that spells the verb, such as alerts/+/${verb}`,
          )
        }
        return renderAlert(await engine.commandAlert(command(verb, id, request.body), by, 'http'))
      },
    )
  }
}

function command(
  verb: AlertVerb,
  alertId: string,
  body: {
    readonly note?: string
    readonly for?: string | number
    readonly user?: string
    readonly team?: string
  },
): AlertCommandDecision {
  const base = { kind: 'alert-command', alertId, verb, note: body.note } as const
  if (verb === 'snooze') {
    const forMs = typeof body.for === 'number' ? Math.round(body.for * 1000) : parseDuration(body.for ?? '')
    if (forMs === null || forMs === 0) {
      throw fault('request.invalid', 'body/for must be a duration such as 30m', { field: 'for', in: 'body' })
    }
    return { ...base, forMs }
  }
  if (verb === 'reassign' && (body.user === undefined) === (body.team === undefined)) {
    throw fault('request.invalid', "body must have either 'user' or 'team'", { field: 'user', in: 'body' })
  }
  if (body.team !== undefined) return { ...base, team: body.team }
  return body.user === undefined ? base : { ...base, user: body.user }
}

/** People, and machines with a role; a machine without one publishes and subscribes and sees nothing else. */
export function reader(principal: Principal): Principal {
  if (principal.kind === 'client' && !principal.roles.includes('service') && !isOperator(principal)) {
    throw fault('auth.forbidden')
  }
  return principal
}
