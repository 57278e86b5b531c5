import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Engine } from '../../../engine.ts'
import { fault } from '../../../errors.ts'
import type { InboxReader } from '../../../store/store.ts'
import { renderXynapNotification } from '../../../wire/notification.ts'
import { FAILURES, type App } from '../../app.ts'
import { caller } from '../../guard.ts'

const tags = ['xynap']
const Params = Type.Object({ uuid: Type.String({ minLength: 1, maxLength: 36 }) })
const Changed = Type.Object(
  { status: Type.String(), changed: Type.Integer({ description: 'Entries that were not so before' }) },
  { description: 'Done; again is harmless' },
)

/** The inbox in the xynap API (X21 to X26). Each person sees their own; others' ids answer 404. */
export function inbox(app: App, engine: Engine): void {
  app.get(
    '/notifications',
    {
      config: { access: 'user' },
      schema: {
        summary: 'The inbox of the signed-in person, newest first (X21)',
        tags,
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: 1000, default: 20 }),
          unread_only: Type.Boolean({ default: false }),
          category: Type.Optional(Type.String({ maxLength: 30 })),
        }),
        response: {
          200: Type.Object(
            { notifications: Type.Array(Type.Ref('XynapNotification#')), total: Type.Integer() },
            { description: '`total` counts the whole inbox' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { limit, unread_only: unreadOnly, category } = request.query
      const reader = readerOf(engine, request)
      const [found, { total }] = await Promise.all([
        engine.store.inbox({
          ...reader,
          order: 'newest',
          limit,
          status: unreadOnly ? 'unread' : 'all',
          ...(category !== undefined && { category }),
        }),
        engine.store.inboxSummary(reader),
      ])
      return { notifications: found.map((entry) => renderXynapNotification(entry, reader.userId)), total }
    },
  )

  app.get(
    '/notifications/summary',
    {
      config: { access: 'user' },
      schema: {
        summary: 'How many there are, and how many are unread (X22)',
        tags,
        response: {
          200: Type.Object(
            { total: Type.Integer(), unread: Type.Integer() },
            { description: 'As of now', examples: [{ total: 42, unread: 3 }] },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { total, unread } = await engine.store.inboxSummary(readerOf(engine, request))
      return { total, unread }
    },
  )

  marks(app, engine)
}

/** X23 to X25, and what takes a deletion back. */
function marks(app: App, engine: Engine): void {
  const mark = async (
    request: FastifyRequest,
    ids: readonly string[] | 'all',
    as: 'read' | 'unread' | 'deleted' | 'restored',
  ) => {
    const by = caller(request)
    const reader = readerOf(engine, request)
    const there = async (id: string) => (await engine.store.notification(reader, id)) !== null
    const [id = ''] = ids === 'all' ? [] : ids
    if (ids !== 'all' && as !== 'restored' && !(await there(id))) throw unknown()
    const changed = await engine.markInbox({ kind: 'inbox', userId: by.id, ids, as }, by)
    if (as === 'restored' && changed.length === 0 && !(await there(id))) throw unknown()
    return { status: as, changed: changed.length }
  }

  app.put(
    '/notifications/:uuid/read',
    {
      config: { access: 'user' },
      schema: {
        summary: 'Mark an entry read, or unread with `{"read": false}` (X23)',
        tags,
        params: Params,
        body: Type.Object(
          { read: Type.Boolean({ default: true }) },
          { description: 'May be absent', examples: [{ read: true }] },
        ),
        response: { 200: Changed, ...FAILURES },
      },
    },
    async (request) => mark(request, [request.params.uuid], request.body.read ? 'read' : 'unread'),
  )
  app.post(
    '/notifications/read-all',
    {
      config: { access: 'user' },
      schema: { summary: 'Mark everything read (X24)', tags, response: { 200: Changed, ...FAILURES } },
    },
    async (request) => mark(request, 'all', 'read'),
  )
  app.delete(
    '/notifications/:uuid',
    {
      config: { access: 'user' },
      schema: {
        summary: 'Remove an entry (X25)',
        tags,
        params: Params,
        response: { 200: Changed, ...FAILURES },
      },
    },
    async (request) => mark(request, [request.params.uuid], 'deleted'),
  )
  app.post(
    '/notifications/:uuid/restore',
    {
      config: { access: 'user' },
      schema: {
        summary: 'Take the removal of an entry back',
        tags,
        params: Params,
        response: { 200: Changed, ...FAILURES },
      },
    },
    async (request) => mark(request, [request.params.uuid], 'restored'),
  )
}

function unknown() {
  return fault('request.not_found', 'There is no such notification')
}

function readerOf(engine: Engine, request: FastifyRequest): InboxReader {
  const { id, tenant } = caller(request)
  return { tenant, userId: id, groups: engine.directory.user(id)?.groups ?? [] }
}
