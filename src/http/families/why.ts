import Type from 'typebox'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import type { Link } from '../../explain/link.ts'
import { renderDelivery } from '../../wire/delivery.ts'
import { rfc3339 } from '../../wire/instant.ts'
import { FAILURES, IdParams, type App } from '../app.ts'
import { caller } from '../guard.ts'

export const LinkSchema = Type.Object({
  stage: Type.String(),
  decision: Type.String(),
  code: Type.String(),
  detail: Type.Record(Type.String(), Type.Unknown()),
  at: Type.Optional(Type.String({ format: 'date-time' })),
  recomputed: Type.Optional(Type.Literal(true)),
})

/** `GET /v1/notifications/{id}/why` (contract section 7), for alerts by their ids, too. */
export function whyFamily(app: App, engine: Engine): void {
  app.get(
    '/notifications/:id/why',
    {
      schema: {
        summary: 'Why somebody was or was not told of a notification or alert',
        tags: ['notifications'],
        params: IdParams,
        querystring: Type.Object({
          user: Type.Optional(
            Type.String({ maxLength: 200, description: 'You, unless you are an operator' }),
          ),
        }),
        response: {
          200: Type.Object(
            {
              user: Type.String(),
              subject: Type.Object({ kind: Type.String(), id: Type.String() }),
              chain: Type.Array(LinkSchema),
              deliveries: Type.Array(Type.Ref('Delivery#')),
            },
            { description: 'Every decision in its order; `recomputed` ones by what is in force now' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const by = caller(request)
      const user = request.query.user ?? (by.kind === 'user' ? by.id : undefined)
      if (user === undefined)
        throw fault('request.invalid', 'Say in `user` about whom', { field: 'user', in: 'query' })
      const answer = await engine.why(by, request.params.id, user)
      return {
        user: answer.user,
        subject: answer.subject,
        chain: answer.chain.map(renderLink),
        deliveries: answer.deliveries.map(renderDelivery),
      }
    },
  )
}

export function renderLink({ at, ...link }: Link) {
  return { ...link, ...(at !== undefined && { at: rfc3339(at) }) }
}
