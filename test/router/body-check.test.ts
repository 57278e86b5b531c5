import { expect } from 'chai'
import Type from 'typebox'
import { bodyCheck } from '../../src/router/body-check.ts'

const Notification = Type.Object({
  message: Type.String({ minLength: 1 }),
  title: Type.Optional(Type.String({ maxLength: 10 })),
  priority: Type.Optional(Type.Union([Type.Literal('low'), Type.Literal('high')])),
  data: Type.Optional(Type.Object({ 'a/b': Type.Optional(Type.Number()) })),
})
const Email = Type.Object({
  to: Type.String({ minLength: 1 }),
  subject: Type.String({ minLength: 1 }),
  body: Type.String({ minLength: 1 }),
})
const Closed = Type.Object({ a: Type.String() }, { additionalProperties: false })

describe('body check', () => {
  it('lets a body through that fits', () => {
    expect(bodyCheck(Notification)({ message: 'hi', unknown: 1, priority: 'low' })).to.equal(null)
    expect(bodyCheck(Email, 'words')({ to: 'a', subject: 'b', body: 'c' })).to.equal(null)
  })

  it('names the first field that is wrong and lists the others', () => {
    const table: [schema: Parameters<typeof bodyCheck>[0], body: unknown, message: string, field: string][] =
      [
        [Notification, {}, 'message is required', 'message'],
        [Notification, { title: 3 }, 'message is required', 'message'],
        [Notification, { message: '' }, 'message is required', 'message'],
        [Notification, { message: null }, 'message is required', 'message'],
        [Notification, { message: 7 }, 'message must be string', 'message'],
        [
          Notification,
          { message: 'a', title: 'x'.repeat(11) },
          'title must not have more than 10 characters',
          'title',
        ],
        [
          Notification,
          { message: 'a', priority: 'urgent' },
          'priority must be one of "low", "high"',
          'priority',
        ],
        [Notification, { message: 'a', data: { 'a/b': 'x' } }, 'data.a/b must be number', 'data.a/b'],
        [Notification, [], 'The payload must be object', ''],
        [Notification, null, 'The payload must be object', ''],
        [Notification, 'text', 'The payload must be object', ''],
        [Closed, { a: 'x', b: 1 }, 'b is not known here', 'b'],
        [Closed, { a: 'x', ['n'.repeat(500)]: 1 }, `${'n'.repeat(100)} is not known here`, 'n'.repeat(100)],
      ]
    for (const [schema, body, message, field] of table) {
      const refusal = bodyCheck(schema)(body)
      expect(refusal?.code, message).to.equal('publish.invalid_body')
      expect(refusal?.message).to.equal(message)
      expect(refusal?.details?.['field'], message).to.equal(field)
    }
    const two = bodyCheck(Notification)({ message: 7, title: 8 })
    expect(two?.details).to.deep.equal({
      field: 'message',
      errors: [
        { field: 'message', message: 'must be string' },
        { field: 'title', message: 'must be string' },
      ],
    })
  })

  it('lists everything that is missing, and of a choice names either all values or none', () => {
    expect(bodyCheck(Email)({ subject: 'x' })?.details?.['errors']).to.deep.equal([
      { field: 'to', message: 'is required' },
      { field: 'body', message: 'is required' },
    ])
    const letters = Type.Union(Array.from('abcdefghijklmnop').map((letter) => Type.Literal(letter)))
    const many = bodyCheck(Type.Object({ letter: letters }))({ letter: 'z' })
    expect(many?.message).to.equal('letter must be one of the allowed values')
    expect(many?.details?.['errors']).to.have.length(1)
    expect(bodyCheck(Type.Object({ kind: Type.Literal('a') }))({ kind: 'b' })?.message).to.equal(
      'kind must be "a"',
    )
    const batch = bodyCheck(Type.Object({ messages: Type.Array(Type.Object({ to: Type.String() })) }))
    expect(batch({ messages: [{ to: 'a' }, {}] })?.message).to.equal('messages.1.to is required')
  })

  it('uses the documents\u2019 words when a required field is missing, and only then (R17, R24, R25)', () => {
    const email = bodyCheck(Email, 'To email, subject, and body are required')
    const missing: unknown[] = [
      {},
      { to: 'a', subject: 'b' },
      { to: 'a', subject: '', body: 'c' },
      { to: null, subject: 'b', body: 'c' },
      { to: 5, subject: 'b' },
    ]
    for (const body of missing)
      expect(email(body)?.message).to.equal('To email, subject, and body are required')
    expect(email({ to: 5, subject: 'b', body: 'c' })?.message).to.equal('to must be string')
    expect(email([])?.message).to.equal('The payload must be object')
    expect(
      bodyCheck(Notification, 'Message is required')({ message: 'a', title: '', data: null })?.message,
    ).to.equal('data must be object')
  })

  it('stays short however much is wrong', () => {
    const surplus = Object.fromEntries(
      Array.from({ length: 900 }, (_, index) => [`${'k'.repeat(100)}${index}`, 1]),
    )
    const refusal = bodyCheck(Closed)({ a: 'x', ...surplus })
    expect(JSON.stringify(refusal?.details)).to.have.length.below(2000)
  })

  it('never repeats a value of the payload', () => {
    const secret = 'hunter2'
    const refusal = bodyCheck(Notification)({
      message: 'a',
      title: secret.repeat(5),
      priority: secret,
      data: secret,
    })
    expect(JSON.stringify([refusal?.message, refusal?.details])).to.not.include(secret)
  })
})
