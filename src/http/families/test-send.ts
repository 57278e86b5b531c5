import Type from 'typebox'
import { isOperator } from '../../access/principal.ts'
import { CHANNEL_NAMES } from '../../delivery/delivery.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { renderDelivery } from '../../wire/delivery.ts'
import { FAILURES, IdParams, type App } from '../app.ts'
import { caller } from '../guard.ts'

/** `/v1/users/{id}/test-send`: for the person, who may say `me`, and for operators; others learn nothing. */
export function testSend(app: App, engine: Engine): void {
  app.post(
    '/users/:id/test-send',
    {
      config: { errors: ['contact.unreachable', 'contact.too_many_tests'] },
      schema: {
        summary: 'Send a test message to the addresses of a person, and say what became of it',
        tags: ['users'],
        params: IdParams,
        body: Type.Object(
          {
            channel: Type.Optional(
              Type.Enum(
                CHANNEL_NAMES.filter((name) => !['realtime', 'webhook', 'mqtt'].includes(name)),
                { description: 'All of theirs but speech unless set' },
              ),
            ),
            contact: Type.Optional(
              Type.String({ maxLength: 200, description: 'One of `/v1/users/me/contacts` by its id' }),
            ),
          },
          { additionalProperties: false, examples: [{ channel: 'sms' }] },
        ),
        response: {
          200: Type.Object(
            { items: Type.Array(Type.Ref('Delivery#')) },
            {
              description:
                'One for each address after one attempt: `sent`, or why not in `reason` and `error`; `pending` or `sending` when the provider has not answered within 15 s',
            },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const by = caller(request)
      const id = request.params.id === 'me' ? by.id : request.params.id
      const person = engine.directory.user(id)
      const own = by.kind === 'user' && by.id === id
      if (person?.tenant !== by.tenant || !(own || isOperator(by))) throw fault('request.not_found')
      return { items: (await engine.testSend(by, person, request.body)).map(renderDelivery) }
    },
  )
}
