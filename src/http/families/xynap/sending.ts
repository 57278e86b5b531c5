import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { tokenDigest } from '../../../access/tokens.ts'
import type { Engine } from '../../../engine.ts'
import { fault } from '../../../errors.ts'
import { SEVERITIES, type Notification } from '../../../notification/notification.ts'
import { MESSAGE_ID } from '../../../router/arrival.ts'
import { renderXynapNotification } from '../../../wire/notification.ts'
import { FAILURES, shared, type App } from '../../app.ts'
import { caller } from '../../guard.ts'
import { publishAsCaller } from '../../publish-as-caller.ts'
import { Accepted, PUBLISH_ERRORS } from '../publish.ts'

const tags = ['xynap']
const config = { errors: [...PUBLISH_ERRORS, 'request.not_found'] } as const
const KeyHeaders = Type.Object({ 'idempotency-key': Type.Optional(Type.String()) })

/** Fields of `create_notification` (X16) with the lengths of X33. */
const draft = {
  title: Type.String({ minLength: 1, maxLength: 255 }),
  body: Type.String({ minLength: 1, maxLength: 65_536 }),
  type: Type.Optional(Type.String({ maxLength: 50 })),
  category: Type.Optional(Type.String({ maxLength: 30 })),
  severity: Type.Optional(Type.Enum([...SEVERITIES])),
  icon: Type.Optional(Type.String({ maxLength: 50, description: 'Name of a Lucide icon' })),
  entity_type: Type.Optional(Type.String({ maxLength: 30 })),
  entity_id: Type.Optional(Type.String({ maxLength: 36 })),
  action_url: Type.Optional(Type.String({ maxLength: 500 })),
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
}
const closed = { additionalProperties: false } as const
const EXAMPLE = { title: 'New customer created', body: "'Example Corp' was created.", category: 'crm' }

/** X16 to X18: the same door as `/v1/publish/…`, in the words of the xynap document. */
export function sending(app: App, engine: Engine): void {
  app.post(
    '/notifications',
    {
      config,
      schema: {
        summary: '`create_notification`: into the inbox of a person, who is told at once (X16)',
        tags,
        headers: KeyHeaders,
        body: Type.Object(
          { user_id: Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Integer()]), ...draft },
          { ...closed, examples: [{ user_id: 'anna', ...EXAMPLE }] },
        ),
        response: { 201: shared('XynapNotification', 'The notification'), ...FAILURES },
      },
    },
    async (request, reply) => {
      const { user_id: userId, ...notification } = request.body
      const key = keyOf(request)
      const created = await notify(engine, request, String(userId), { ...notification, key })
      return reply.code(201).send(renderXynapNotification(created, String(userId)))
    },
  )

  app.post(
    '/tenants/:tenant_id/admins/notify',
    {
      config,
      schema: {
        summary: '`notify_tenant_admins`: one notification for each administrator (X17)',
        tags,
        params: Type.Object({ tenant_id: Type.String({ minLength: 1, maxLength: 200 }) }),
        headers: KeyHeaders,
        body: Type.Object(draft, { ...closed, examples: [EXAMPLE] }),
        response: {
          201: Type.Object(
            { notifications: Type.Array(Type.Ref('XynapNotification#')) },
            { description: 'One for each administrator' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request, reply) => {
      const { tenant } = caller(request)
      if (request.params.tenant_id !== tenant) throw fault('request.not_found', 'There is no such tenant')
      const admins = engine.directory.admins(tenant).filter((admin) => admin.tenant === tenant)
      const key = keyOf(request)
      const notifications = []
      for (const { id } of admins) {
        // A key names one message, and these are as many as there are administrators.
        const own = key === undefined ? undefined : tokenDigest(`${key} ${id}`)
        const draft = { ...request.body, key: own && Buffer.from(own).toString('hex') }
        notifications.push(renderXynapNotification(await notify(engine, request, id, draft), id))
      }
      return reply.code(201).send({ notifications })
    },
  )

  app.post(
    '/events/emit',
    {
      config,
      schema: {
        summary: '`emit_event`: a domain event to streams, rules and webhooks (X18)',
        tags,
        headers: KeyHeaders,
        body: Type.Object(
          {
            type: Type.String({ pattern: '^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$', maxLength: 100 }),
            data: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
            source: Type.Optional(Type.String({ maxLength: 100 })),
          },
          {
            ...closed,
            examples: [
              { type: 'order.completed', data: { user_id: 'anna', order_id: 'o-1' }, source: 'shop' },
            ],
          },
        ),
        response: { 202: Accepted, ...FAILURES },
      },
    },
    async (request, reply) => {
      const { type, data, source } = request.body
      const body = { ...data, ...(source !== undefined && { source }) }
      const topic = `events/${type.replaceAll('.', '/')}`
      const { id, result } = await publishAsCaller(engine, request, { topic, body, key: keyOf(request) })
      return reply.code(202).send({ id, result })
    },
  )
}

type Draft = Readonly<Record<string, unknown>> & {
  readonly body: string
  readonly key: string | undefined
}

async function notify(
  engine: Engine,
  request: FastifyRequest,
  userId: string,
  { body, key, ...fields }: Draft,
): Promise<Notification> {
  const person = engine.directory.user(userId)
  if (person === undefined || person.tenant !== caller(request).tenant) throw fault('publish.unknown_user')
  const topic = `notifications/realtime/user/${userId}`
  const { result } = await publishAsCaller(engine, request, {
    topic,
    body: { ...fields, message: body },
    key,
  })
  const reader = { tenant: person.tenant, userId, groups: person.groups }
  const created = await engine.store.notification(reader, String(result['notification_id']))
  // Deleted by its reader in the meantime, or a duplicate of one that was.
  if (created === null) throw fault('request.not_found', 'The notification is not in the inbox any more')
  return created
}

/** What makes a repeat harmless for 24 hours. */
function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined || (typeof key === 'string' && MESSAGE_ID.test(key))) return key
  throw fault('request.invalid', 'Idempotency-Key takes 1 to 128 of A-Z a-z 0-9 . _ : -', {
    field: 'idempotency-key',
    in: 'header',
  })
}
