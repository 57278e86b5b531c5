import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import type { Notification } from '../../notification/notification.ts'
import { groupNamed, notificationTypes } from '../../preferences/notification-types.ts'
import { renderNotification } from '../../wire/notification.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { publishAsCaller } from '../publish-as-caller.ts'

const TITLE = 'Notification'
const TYPE = 'info'

const TestNotification = Type.Object(
  {
    type: Type.Optional(
      Type.String({ minLength: 1, maxLength: 50, description: '`chat` or `chats`; info when absent' }),
    ),
    event: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    content: Type.String({ minLength: 1, maxLength: 65_536 }),
    customer_id: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    user_ids: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        maxItems: 1000,
        description: 'Absent or empty: everybody',
      }),
    ),
    rec_type: Type.Optional(Type.String({ maxLength: 30 })),
    rec_id: Type.Optional(Type.String({ maxLength: 36 })),
    link_url: Type.Optional(Type.String({ maxLength: 500 })),
    link_text: Type.Optional(Type.String({ maxLength: 255 })),
  },
  {
    examples: [
      {
        type: 'chats',
        event: 'message_received',
        title: 'Test Notification',
        content: 'This is a test notification',
        user_ids: ['anna'],
        rec_type: 'chats',
        rec_id: '789e4567-e89b-12d3-a456-426614174000',
      },
    ],
  },
)
type TestNotification = Static<typeof TestNotification>

const Sent = Type.Object({ message: Type.String() }, { description: 'Sent' })
const SENT = { message: 'Notification sent to all connected users' }

/** The test posts of the CoreBanq document, there only with `server.dev_endpoints` (C11 to C13). */
export function testPosts(app: App, engine: Engine): void {
  app.post(
    '/notifications/trigger',
    {
      schema: {
        summary: 'A test notification through everything a notification goes through (C11)',
        description: 'Needs the API key of a client that may publish notifications.',
        tags: ['notifications'],
        body: TestNotification,
        response: { 200: Sent, ...FAILURES },
      },
    },
    async (request) => {
      const people = recipients(engine, request, request.body)
      const body = publishOf(engine, request.body)
      // To everybody at once it is one message, which has no more than these fields (R21).
      const broadcast = { title: body.title, message: body.message, type: body.type }
      if (people === null)
        await publishAsCaller(engine, request, { topic: 'notifications/realtime/broadcast', body: broadcast })
      for (const id of people ?? [])
        await publishAsCaller(engine, request, { topic: `notifications/realtime/user/${id}`, body })
      return SENT
    },
  )

  app.post(
    '/notifications/sse',
    {
      schema: {
        summary: 'A test notification straight to whoever is connected; stored nowhere (C12)',
        description: 'Needs the API key of a client.',
        tags: ['notifications'],
        body: TestNotification,
        response: { 200: Sent, ...FAILURES },
      },
    },
    async (request) => {
      const { tenant } = caller(request)
      const people = recipients(engine, request, request.body)
      const at = engine.clock.now()
      for (const userId of people ?? [null]) {
        const data = JSON.stringify(shown(engine, request, userId))
        engine.events.add({ tenant, userId, type: 'notification.created', data, source: null, at })
      }
      return SENT
    },
  )
}

/** Null for everybody. Whoever is not there is told of before anything is sent. */
function recipients(
  engine: Engine,
  request: FastifyRequest,
  { user_ids: ids = [] }: TestNotification,
): readonly string[] | null {
  const { kind, tenant } = caller(request)
  if (kind === 'user' || request.identity?.via === 'anonymous')
    throw fault('auth.forbidden', 'This needs the API key of a client')
  const unknown = ids.find((id) => engine.directory.user(id)?.tenant !== tenant)
  if (unknown !== undefined)
    throw fault('publish.unknown_user', `There is no user ${JSON.stringify(unknown)}`)
  return ids.length === 0 ? null : [...new Set(ids)]
}

/** In the words of contract section 4. */
function publishOf(engine: Engine, given: TestNotification) {
  return {
    title: given.title ?? TITLE,
    message: given.content,
    type: typeOf(engine, given),
    data: given.link_text === undefined ? {} : { link_text: given.link_text },
    ...(given.event !== undefined && { event: given.event }),
    ...(given.customer_id !== undefined && { customer_id: given.customer_id }),
    ...(given.rec_type !== undefined && { entity_type: given.rec_type }),
    ...(given.rec_id !== undefined && { entity_id: given.rec_id }),
    ...(given.link_url !== undefined && { action_url: given.link_url }),
  }
}

function typeOf({ config }: Engine, { type = TYPE }: TestNotification): string {
  return groupNamed(notificationTypes(config.notification_types), type) ?? type
}

/** As the streams show one that was stored. */
function shown(engine: Engine, request: FastifyRequest, userId: string | null) {
  const given = request.body as TestNotification
  const { id: principal, tenant } = caller(request)
  const now = engine.clock.now()
  const id = engine.ids.next(now)
  const notification: Notification = {
    seq: 0,
    id,
    tenant,
    userId,
    audience: [],
    origin: { principal, messageId: id, topic: 'notifications/sse' },
    content: {
      title: given.title ?? TITLE,
      message: given.content,
      type: typeOf(engine, given),
      priority: 'normal',
      data: given.link_text === undefined ? {} : { link_text: given.link_text },
      channels: ['realtime'],
      ...(given.event !== undefined && { event: given.event }),
      ...(given.customer_id !== undefined && { customerId: given.customer_id }),
      ...(given.rec_type !== undefined && { entityType: given.rec_type }),
      ...(given.rec_id !== undefined && { entityId: given.rec_id }),
      ...(given.link_url !== undefined && { actionUrl: given.link_url }),
    },
    createdAt: now,
    readAt: null,
  }
  return { ...renderNotification(notification, userId), uuid: id, body: given.content }
}
