import { expect } from 'chai'
import fastify from 'fastify'
import Type, { type TSchema } from 'typebox'
import { faultOf } from '../../src/http/error-reply.ts'

const Choice = Type.Object({
  platform: Type.Union(['ios', 'android', 'web'].map((name) => Type.Literal(name))),
})
const Rate = Type.Object({
  sms: Type.Optional(Type.Union([Type.Object({ fail_rate: Type.Number({ maximum: 1 }) }), Type.Null()])),
})

describe('the answer to a request that is not valid', () => {
  const table: readonly (readonly [
    what: string,
    schema: TSchema,
    body: object,
    message: string,
    field: string,
  ])[] = [
    [
      'what can be chosen',
      Choice,
      { platform: 'x' },
      'body/platform must be one of ios, android, web',
      'platform',
    ],
    [
      'what a list allows',
      Type.Object({ state: Type.Enum(['sent', 'dead']) }),
      { state: 'x' },
      'body/state must be one of sent, dead',
      'state',
    ],
    [
      'what is wrong inside',
      Rate,
      { sms: { fail_rate: 2 } },
      'body/sms/fail_rate must be <= 1',
      'sms.fail_rate',
    ],
    ['what is missing', Choice, {}, "body must have required property 'platform'", 'platform'],
    [
      'the only value there is',
      Type.Object({ on: Type.Literal('yes') }),
      { on: 'no' },
      'body/on must be equal to constant',
      'on',
    ],
  ]
  for (const [what, schema, body, message, field] of table) {
    it(`names ${what}, and the field`, async () => {
      const app = fastify()
      app.setErrorHandler((error, _request, reply) => {
        const { code, message: said, details } = faultOf(error)
        return reply.send({ code, said, details })
      })
      app.post('/', { schema: { body: schema } }, async () => ({}))
      const answer = await app.inject({ method: 'POST', url: '/', payload: body })
      await app.close()
      expect(answer.json()).to.deep.include({
        code: 'request.invalid',
        said: message,
        details: { field, in: 'body' },
      })
    })
  }
})
