import type { FastifyRequest } from 'fastify'
import Type, { type TSchema } from 'typebox'
import type { Authenticator } from '../../../access/authenticate.ts'
import { ALERT_LEVELS } from '../../../alert/alert.ts'
import type { Engine } from '../../../engine.ts'
import { AlertmanagerBody, fromAlertmanager } from '../../../hooks/alertmanager.ts'
import { fromGeneric } from '../../../hooks/generic.ts'
import { fromGotify, GotifyBody } from '../../../hooks/gotify.ts'
import { fromGrafana, GrafanaBody } from '../../../hooks/grafana.ts'
import { fromOpsgenie, ofOpsgenie, OpsgenieBody } from '../../../hooks/opsgenie.ts'
import { fromPagerDuty, PagerDutyBody } from '../../../hooks/pagerduty.ts'
import { fromNtfy, ntfyJson, ntfyText, type NtfyMessage } from '../../../hooks/ntfy.ts'
import type { HookAlert, HookWishes } from '../../../hooks/hook-alert.ts'
import { FAILURES, type App } from '../../app.ts'
import { PUBLISH_ERRORS } from '../publish.ts'
import { parseJsonBody } from '../../json-body.ts'
import { deliver, deliverOne, senderGuard, senderOf } from './sender.ts'

/** A group of 500 alerts with a few labels each; the size of the body is the tighter bound. */
const MOST_KEYS = 20_000

const WISHES = Type.Object({
  type: Type.Optional(
    Type.String({
      pattern: '^[^/+#\\s]{1,100}$',
      description: 'Type of the alerts, whatever the sender says',
    }),
  ),
  severity: Type.Optional(Type.Enum([...ALERT_LEVELS], { description: 'Their level' })),
})

const Result = Type.Object({
  status: Type.String(),
  alert_id: Type.Optional(Type.String()),
  dedup_key: Type.String(),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
})
const Results = Type.Object(
  { items: Type.Array(Result) },
  { description: 'Stored: what became of each alert, in the order of the request' },
)

interface Deps {
  readonly engine: Engine
  readonly authenticator: Authenticator
}

/**
 * `/hooks/…`: other alerting programs send here as they would to their own service (contract section 8, feature 15).
 * Each alert goes through the same door as a publish of the client whose token was sent.
 */
export function hooks(app: App, engine: Engine, authenticator: Authenticator): void {
  const deps = { engine, authenticator }
  app.addHook(
    'onRequest',
    senderGuard(authenticator, () => engine.config),
  )
  app.addHook('onRoute', (route) => {
    route.config = { proof: 'sender', errors: PUBLISH_ERRORS, ...route.config }
  })
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) =>
      parseJsonBody(body, MOST_KEYS),
    )
    batches(scope, deps)
    pagerDuty(scope, deps)
    opsgenie(scope, deps)
    gotify(scope, deps)
    ntfyAsJson(scope, deps)
  })
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body)
    ntfyAsText(scope, deps)
  })
}

function about(summary: string, body: TSchema | null, response: object) {
  return {
    summary,
    tags: ['hooks'],
    querystring: WISHES,
    ...(body !== null && { body }),
    response: { ...response, ...FAILURES },
  }
}

/** Senders that only look at the status. */
function batches(app: App, { engine, authenticator }: Deps): void {
  const route = <Body extends TSchema>(
    name: string,
    title: string,
    body: Body,
    // The schema has checked the body before.
    read: (body: never, wishes: HookWishes) => readonly HookAlert[],
  ) =>
    app.post(
      `/${name}`,
      { schema: about(`Alerts of ${title}`, body, { 200: Results }) },
      async (request, reply) => {
        const by = await senderOf(request, authenticator)
        const items = await deliver(engine, request, by, read(request.body as never, request.query))
        return reply.code(200).send({ items })
      },
    )
  route('alertmanager', 'the Prometheus Alertmanager', AlertmanagerBody, fromAlertmanager)
  route('grafana', 'Grafana', GrafanaBody, fromGrafana)
  route(
    'generic',
    'any program: one JSON object with a message, or a list',
    Type.Unknown({
      description: 'JSON',
      examples: [{ message: 'The disk is full', severity: 'critical', source: 'db-1' }],
    }),
    fromGeneric,
  )
}

function pagerDuty(app: App, { engine, authenticator }: Deps): void {
  const Enqueued = Type.Object(
    {
      status: Type.String(),
      message: Type.String(),
      dedup_key: Type.Optional(Type.String()),
      errors: Type.Optional(Type.Array(Type.String())),
    },
    { description: 'As the Events API answers' },
  )
  const schema = about('An event as for the PagerDuty Events API v2', PagerDutyBody, { 202: Enqueued })
  for (const path of ['/pagerduty', '/pagerduty/v2/enqueue'])
    app.post(path, { schema }, async (request, reply) => {
      // Checked by the schema, whose type a loop over paths loses.
      const body = request.body as Parameters<typeof fromPagerDuty>[0]
      const by = await senderOf(request, authenticator, body.routing_key)
      const { alert, dedupKey } = fromPagerDuty(body, engine.ids.next(engine.clock.now()))
      const [result] = await deliver(engine, request, by, [alert])
      if (result?.error) {
        const errors = [result.error.message]
        return reply.code(400).send({ status: 'invalid event', message: 'Event object is invalid', errors })
      }
      return reply.code(202).send({ status: 'success', message: 'Event processed', dedup_key: dedupKey })
    })
}

function opsgenie(app: App, { engine, authenticator }: Deps): void {
  const Taken = Type.Object(
    { result: Type.String(), took: Type.Number(), requestId: Type.String() },
    { description: 'As the Alert API answers' },
  )
  const Alias = Type.Object({ alias: Type.String({ minLength: 1, maxLength: 512 }) })
  const take = async (request: FastifyRequest, alert: HookAlert) => {
    const by = await senderOf(request, authenticator)
    await deliverOne(engine, request, by, alert)
    return { result: 'Request will be processed', took: 0, requestId: request.id }
  }
  const creating = about('Create an alert as with the Opsgenie Alert API', OpsgenieBody, { 202: Taken })
  for (const path of ['/opsgenie', '/opsgenie/v2/alerts'])
    app.post(path, { schema: creating }, async (request, reply) =>
      // As above.
      reply
        .code(202)
        .send(await take(request, fromOpsgenie(request.body as Parameters<typeof fromOpsgenie>[0]))),
    )
  for (const [verb, action] of [
    ['close', 'resolve'],
    ['acknowledge', 'acknowledge'],
  ] as const)
    app.post(
      `/opsgenie/v2/alerts/:alias/${verb}`,
      {
        schema: {
          ...about(`Opsgenie: ${verb} an alert by its alias`, null, { 202: Taken }),
          querystring: ANY,
          params: Alias,
        },
      },
      async (request, reply) =>
        reply.code(202).send(await take(request, ofOpsgenie(action, request.params.alias))),
    )
}

/** Such as `identifierType=alias`, which is the only one there is here. */
const ANY = Type.Object({ identifierType: Type.Optional(Type.String()) })

function gotify(app: App, { engine, authenticator }: Deps): void {
  const Message = Type.Object(
    {
      id: Type.Integer(),
      appid: Type.Integer(),
      message: Type.String(),
      title: Type.String(),
      priority: Type.Integer(),
      date: Type.String(),
    },
    { description: 'The message as Gotify answers' },
  )
  const schema = about('A message as for Gotify', GotifyBody, { 200: Message })
  for (const path of ['/gotify', '/gotify/message'])
    app.post(path, { schema }, async (request) => {
      const by = await senderOf(request, authenticator)
      // As above.
      const body = request.body as Parameters<typeof fromGotify>[0]
      await deliverOne(engine, request, by, fromGotify(body))
      const now = engine.clock.now()
      const { message, title = '', priority = 0 } = body
      return { id: now, appid: 1, message, title, priority, date: new Date(now).toISOString() }
    })
}

const NtfyAnswer = Type.Object(
  {
    id: Type.String(),
    time: Type.Integer(),
    event: Type.Literal('message'),
    topic: Type.String(),
    message: Type.String(),
    title: Type.Optional(Type.String()),
    priority: Type.Integer(),
    tags: Type.Array(Type.String()),
  },
  { description: 'The message as ntfy answers' },
)

async function takeNtfy({ engine, authenticator }: Deps, request: FastifyRequest, message: NtfyMessage) {
  const by = await senderOf(request, authenticator)
  await deliverOne(engine, request, by, fromNtfy(message))
  const time = Math.floor(engine.clock.now() / 1000)
  return { id: request.id, time, event: 'message' as const, ...message, tags: [...message.tags] }
}

function ntfyAsJson(app: App, deps: Deps): void {
  const body = Type.Object(
    { topic: Type.String({ minLength: 1 }), message: Type.Optional(Type.String()) },
    { examples: [{ topic: 'backup', message: 'The backup has failed', priority: 5 }] },
  )
  app.post(
    '/ntfy',
    { schema: about('A message as for ntfy, as JSON', body, { 200: NtfyAnswer }) },
    async (request) => takeNtfy(deps, request, ntfyJson(request.body)),
  )
}

function ntfyAsText(app: App, deps: Deps): void {
  const params = Type.Object({ topic: Type.String({ pattern: '^[-_A-Za-z0-9]{1,64}$' }) })
  app.route({
    method: ['POST', 'PUT'],
    url: '/ntfy/:topic',
    schema: { ...about('A message as for ntfy, as text', null, { 200: NtfyAnswer }), params },
    handler: async (request) => {
      const text = typeof request.body === 'string' ? request.body : ''
      // As above.
      const { topic } = request.params as { topic: string }
      return takeNtfy(deps, request, ntfyText(topic, request.headers, text))
    },
  })
}
