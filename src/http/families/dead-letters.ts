import Type from 'typebox'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { renderDeadLetter } from '../../wire/dead-letter.ts'
import { FAILURES, IdParams, listOf, pageQuery, shared, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { sendOutcome } from '../outcome-reply.ts'
import { Accepted, PUBLISH_ERRORS } from './publish.ts'

/** `/v1/dead-letters` (contract section 7), for operators. */
export function deadLetters(app: App, engine: Engine): void {
  const { store } = engine
  const config = { access: 'operator' } as const

  app.get(
    '/dead-letters',
    {
      config,
      schema: {
        summary: 'Publishes that could not be routed, newest first',
        tags: ['dead letters'],
        querystring: Type.Object(pageQuery),
        response: { 200: listOf('DeadLetter', 'One page'), ...FAILURES },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query
      const page = await store.deadLetters(caller(request).tenant, {
        limit,
        ...(cursor !== undefined && { cursor }),
      })
      return {
        items: page.items.map(renderDeadLetter),
        ...(page.nextCursor !== null && { next_cursor: page.nextCursor }),
      }
    },
  )

  app.get(
    '/dead-letters/:id',
    {
      config,
      schema: {
        summary: 'One dead letter',
        tags: ['dead letters'],
        params: IdParams,
        response: { 200: shared('DeadLetter', 'The letter'), ...FAILURES },
      },
    },
    async (request) => {
      const letter = await store.deadLetter(caller(request).tenant, request.params.id)
      if (!letter) throw fault('request.not_found')
      return renderDeadLetter(letter)
    },
  )

  app.delete(
    '/dead-letters/:id',
    {
      config,
      schema: {
        summary: 'Throw a dead letter away',
        tags: ['dead letters'],
        params: IdParams,
        response: { 204: Type.Null({ description: 'Gone' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      const gone = await store.removeDeadLetter(caller(request).tenant, request.params.id)
      if (!gone) throw fault('request.not_found')
      return reply.code(204).send(null)
    },
  )

  app.post(
    '/dead-letters/:id/replay',
    {
      config: { ...config, errors: PUBLISH_ERRORS },
      schema: {
        summary: 'Present a dead letter again; it is removed when that succeeds',
        tags: ['dead letters'],
        params: IdParams,
        response: { 202: Accepted, ...FAILURES },
      },
    },
    async (request, reply) => {
      const by = caller(request)
      const { id } = request.params
      if (!(await store.deadLetter(by.tenant, id))) throw fault('request.not_found')
      return sendOutcome(reply, await engine.replayDeadLetter(by, id), id)
    },
  )
}
