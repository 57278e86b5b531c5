import Type from 'typebox'
import type { Engine } from '../../engine.ts'
import { ProblemSchema, renderProblem } from '../../wire/problem.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'

/** `GET /v1/preflight`, for operators. */
export function preflightFamily(app: App, engine: Engine): void {
  app.addSchema(ProblemSchema)
  app.get(
    '/preflight',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'What would keep a critical page of the next 14 days from reaching somebody',
        tags: ['on call'],
        response: {
          200: Type.Object({ items: Type.Array(Type.Ref('Problem#')) }, { description: 'None: all is well' }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { tenant } = caller(request)
      return {
        items: engine
          .preflight()
          .filter((problem) => problem.tenant === tenant)
          .map(renderProblem),
      }
    },
  )
}
