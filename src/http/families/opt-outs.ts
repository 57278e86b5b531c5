import Type from 'typebox'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { OptOutSchema, renderOptOut } from '../../wire/contact.ts'
import { FAILURES, IdParams, type App } from '../app.ts'
import { caller } from '../guard.ts'

/** `/v1/opt-outs`: numbers that answered STOP (behaviour E19), for operators. */
export function optOuts(app: App, engine: Engine): void {
  app.addSchema(OptOutSchema)
  const config = { access: 'operator' } as const

  app.get(
    '/opt-outs',
    {
      config,
      schema: {
        summary: 'Numbers that get no SMS because they answered STOP',
        tags: ['opt-outs'],
        response: {
          200: Type.Object(
            { items: Type.Array(Type.Ref('OptOut#')) },
            { description: 'All of them, oldest first' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => ({ items: engine.optOuts.list(caller(request).tenant).map(renderOptOut) }),
  )

  app.delete(
    '/opt-outs/:id',
    {
      config,
      schema: {
        summary: 'Let a number have SMS again, on the word of its owner',
        tags: ['opt-outs'],
        params: IdParams,
        response: { 204: Type.Null({ description: 'Lifted' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      const lifted = await engine.optOuts.lift(caller(request).tenant, request.params.id)
      if (!lifted) throw fault('request.not_found', 'There is no such opt-out')
      return reply.code(204).send(null)
    },
  )
}
