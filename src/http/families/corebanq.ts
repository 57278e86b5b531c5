import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Engine } from '../../engine.ts'
import { Fault, fault, type ErrorCode } from '../../errors.ts'
import type { Notification, NotificationContent } from '../../notification/notification.ts'
import type { InboxReader } from '../../store/store.ts'
import { renderCoreBanqNotification } from '../../wire/notification.ts'
import { FAILURES, shared, type App } from '../app.ts'
import { faultOf } from '../error-reply.ts'
import { caller } from '../guard.ts'
import { preferences } from './preferences.ts'

const Uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const Params = Type.Object({ id: Type.String({ maxLength: 200, description: 'UUID' }) })
const ID_ERRORS = ['notifications_m.invalid_id', 'notifications_m.not_found'] as const

/** Any of these; without any the entry is marked read (C03). */
const Changes = Type.Object(
  {
    read: Type.Optional(Type.Boolean()),
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    content: Type.Optional(Type.String({ minLength: 1, maxLength: 65_536 })),
    type: Type.Optional(Type.String({ minLength: 1, maxLength: 50 })),
    event: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    link_url: Type.Optional(Type.String({ maxLength: 500 })),
    link_text: Type.Optional(Type.String({ maxLength: 255 })),
    rec_type: Type.Optional(Type.String({ maxLength: 30 })),
    rec_id: Type.Optional(Type.String({ maxLength: 36 })),
  },
  { description: 'May be absent', examples: [{ read: true }] },
)

declare module 'fastify' {
  interface FastifyContextConfig {
    /** C14: what it is called when the store does not do it. */
    failure?: ErrorCode
  }
}

/** The CoreBanq API on `/v1/notifications` (C01 to C06), with that document's error codes (C14). */
export function coreBanq(app: App, engine: Engine): void {
  const { store } = engine
  app.setErrorHandler((error, request) => {
    throw inTheirWords(error, request)
  })
  preferences(app, engine)

  app.get(
    '/notifications',
    {
      config: { access: 'user', failure: 'notifications_m.failed_to_fetch_notifications' },
      schema: {
        summary: 'The inbox of the signed-in person, newest first',
        tags: ['notifications'],
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: 1000, default: 50 }),
          offset: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
          status: Type.Enum(['read', 'unread', 'all'], { default: 'all' }),
          customer_id: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: {
          200: Type.Object(
            {
              notifications: Type.Array(Type.Ref('CoreBanqNotification#')),
              total: Type.Integer({ description: 'Of all pages' }),
              limit: Type.Integer(),
              offset: Type.Integer(),
            },
            { description: 'One page' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { limit, offset, status, customer_id: customerId } = request.query
      const reader = readerOf(engine, request)
      const found = await store.inbox({
        ...reader,
        order: 'newest',
        limit,
        offset,
        status,
        ...(customerId !== undefined && { customerId }),
      })
      return {
        notifications: found.map((entry) => renderCoreBanqNotification(entry, reader.userId)),
        total: await count(engine, reader, status, customerId),
        limit,
        offset,
      }
    },
  )

  app.get(
    '/notifications/:id',
    {
      config: { access: 'user', failure: 'notifications_m.failed_to_fetch_notifications', errors: ID_ERRORS },
      schema: {
        summary: 'One entry of the inbox',
        tags: ['notifications'],
        params: Params,
        response: { 200: shared('CoreBanqNotification', 'The entry'), ...FAILURES },
      },
    },
    async (request) => {
      const reader = readerOf(engine, request)
      return renderCoreBanqNotification(await entryOf(engine, reader, request.params.id), reader.userId)
    },
  )

  app.patch(
    '/notifications/:id/read',
    {
      config: { access: 'user', failure: 'notifications_m.failed_to_mark_as_read', errors: ID_ERRORS },
      schema: {
        summary: 'Mark an entry read, or unread with `{"read": false}`; let it say something else (C03)',
        tags: ['notifications'],
        params: Params,
        body: Changes,
        response: { 200: shared('CoreBanqNotification', 'The entry as it is now'), ...FAILURES },
      },
    },
    async (request) => {
      const reader = readerOf(engine, request)
      const entry = await entryOf(engine, reader, request.params.id)
      const { id } = entry
      const content = contentOf(request.body, entry)
      const rewords = Object.keys(content).length > 0
      if (rewords && !(await store.reword({ ...reader, id, content, at: engine.clock.now() })))
        throw fault('request.invalid', 'A broadcast says the same to everybody: only read can be changed')
      const { read = rewords ? null : true } = request.body
      const as = read ? 'read' : 'unread'
      if (read !== null)
        await engine.markInbox({ kind: 'inbox', userId: reader.userId, ids: [id], as }, caller(request))
      return renderCoreBanqNotification(await entryOf(engine, reader, id), reader.userId)
    },
  )

  app.delete(
    '/notifications/:id',
    {
      config: { access: 'user', failure: 'notifications_m.failed_to_delete', errors: ID_ERRORS },
      schema: {
        summary: 'Remove an entry from the inbox of the signed-in person',
        tags: ['notifications'],
        params: Params,
        response: {
          200: Type.Object({ id: Type.String(), message: Type.String() }, { description: 'Removed' }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const reader = readerOf(engine, request)
      const { id } = await entryOf(engine, reader, request.params.id)
      await engine.markInbox(
        { kind: 'inbox', userId: reader.userId, ids: [id], as: 'deleted' },
        caller(request),
      )
      return { id, message: 'Notification deleted' }
    },
  )
}

/** What a request lets an entry say, in our own words. */
function contentOf(
  { title, content, type, event, ...more }: Static<typeof Changes>,
  entry: Notification,
): Partial<NotificationContent> {
  return {
    ...(title !== undefined && { title }),
    ...(content !== undefined && { message: content }),
    ...(type !== undefined && { type }),
    ...(event !== undefined && { event }),
    ...(more.link_url !== undefined && { actionUrl: more.link_url }),
    ...(more.link_text !== undefined && { data: { ...entry.content.data, link_text: more.link_text } }),
    ...(more.rec_type !== undefined && { entityType: more.rec_type }),
    ...(more.rec_id !== undefined && { entityId: more.rec_id }),
  }
}

/** The inbox of the person who calls. */
function readerOf(engine: Engine, request: FastifyRequest): InboxReader {
  const { id, tenant } = caller(request)
  return { tenant, userId: id, groups: engine.directory.user(id)?.groups ?? [] }
}

async function entryOf(engine: Engine, reader: InboxReader, id: string) {
  if (!Uuid.test(id)) throw fault('notifications_m.invalid_id')
  const entry = await engine.store.notification(reader, id.toLowerCase())
  if (!entry) throw fault('notifications_m.not_found')
  return entry
}

async function count(
  engine: Engine,
  reader: InboxReader,
  status: 'read' | 'unread' | 'all',
  customerId: string | undefined,
): Promise<number> {
  const { total, unread } = await engine.store.inboxSummary({
    ...reader,
    ...(customerId !== undefined && { customerId }),
  })
  return { all: total, unread, read: total - unread }[status]
}

const IDENTITY_CODES: ReadonlySet<string> = new Set(['auth.missing', 'auth.invalid', 'auth.expired'])

/** A store that fails is told in the name of what was asked; validation and refusals keep their own codes. */
function inTheirWords(error: unknown, request: FastifyRequest): Fault {
  const known = faultOf(error)
  if (IDENTITY_CODES.has(known.code) || (known.code === 'auth.forbidden' && !isPerson(request))) {
    return fault('notifications_m.invalid_user_id', known.message)
  }
  const { failure } = request.routeOptions.config
  if (failure === undefined || known.entry.http < 500) return known
  if (known.code === 'server.internal') request.log.error({ err: error }, 'request failed')
  return fault(failure, known.entry.http === 503 ? known.message : undefined)
}

function isPerson(request: FastifyRequest): boolean {
  return request.identity?.principal.kind === 'user'
}
