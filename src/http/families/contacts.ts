import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { AddedContact } from '../../contact/add-contact.ts'
import { CONTACT_CHANNELS } from '../../contact/contact.ts'
import type { Person } from '../../directory/directory.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { ContactSchema, renderContact } from '../../wire/contact.ts'
import { FAILURES, IdParams, shared, type App } from '../app.ts'
import { caller } from '../guard.ts'

const tags = ['users']
const config = { access: 'user' } as const

const Added = Type.Object(
  {
    ...ContactSchema.properties,
    link: Type.Optional(
      Type.String({ description: 'Telegram without an address: opens the bot, which then knows the chat' }),
    ),
    code: Type.Optional(Type.String({ description: 'What the link carries, for `/start <code>`' })),
  },
  { description: 'It waits for its code or link, unless it is verified' },
)

/** `/v1/users/me/contacts`: where the caller can be reached (behaviours E20 and N12). */
export function contacts(app: App, engine: Engine): void {
  app.addSchema(ContactSchema)
  const book = engine.contacts
  const person = (request: FastifyRequest): Person => {
    const found = engine.directory.user(caller(request).id)
    if (found === undefined) throw fault('request.not_found')
    return found
  }

  app.get(
    '/users/me/contacts',
    {
      config: { ...config, errors: ['request.not_found'] },
      schema: {
        summary: 'Where I can be reached',
        tags,
        response: {
          200: Type.Object(
            { items: Type.Array(Type.Ref('Contact#')) },
            { description: 'Those of the configuration first' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => ({ items: book.list(person(request)).map(renderContact) }),
  )

  app.post(
    '/users/me/contacts',
    {
      config: {
        ...config,
        errors: [
          'publish.invalid_address',
          'publish.premium_number',
          'contact.too_many',
          'contact.too_many_codes',
          'contact.unreachable',
          'request.not_found',
        ],
      },
      schema: {
        summary: 'Add an address, which gets a code; or link a Telegram chat',
        tags,
        body: Type.Object(
          {
            channel: Type.Enum([...CONTACT_CHANNELS]),
            address: Type.Optional(
              Type.String({ maxLength: 300, description: 'May be left out for Telegram only' }),
            ),
          },
          { examples: [{ channel: 'sms', address: '+4915112345678' }, { channel: 'telegram' }] },
        ),
        response: { 200: Added, 201: Added, ...FAILURES },
      },
    },
    async (request, reply) => {
      const { channel, address = null } = request.body
      const added = await book.add(person(request), channel, address)
      return reply.code(added.created ? 201 : 200).send(renderAdded(added))
    },
  )

  app.post(
    '/users/me/contacts/:id/code',
    {
      config: {
        ...config,
        errors: ['contact.too_many_codes', 'contact.unreachable', 'record.read_only'],
      },
      schema: {
        summary: 'Send a new code; the one before is void',
        tags,
        params: IdParams,
        response: { 200: Added, ...FAILURES },
      },
    },
    async (request) => renderAdded(await book.again(person(request), request.params.id)),
  )

  app.post(
    '/users/me/contacts/:id/verify',
    {
      config: { ...config, errors: ['contact.wrong_code', 'contact.no_code', 'record.read_only'] },
      schema: {
        summary: 'Verify an address by the code that it got',
        tags,
        params: IdParams,
        body: Type.Object({ code: Type.String({ maxLength: 64 }) }, { examples: [{ code: '271828' }] }),
        response: { 200: shared('Contact', 'It is verified'), ...FAILURES },
      },
    },
    async (request) =>
      renderContact(await book.verify(person(request), request.params.id, request.body.code)),
  )

  app.delete(
    '/users/me/contacts/:id',
    {
      config: { ...config, errors: ['record.read_only'] },
      schema: {
        summary: 'Remove an address; what was planned for it is not sent',
        tags,
        params: IdParams,
        response: { 204: Type.Null({ description: 'Removed' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      await book.remove(person(request), request.params.id)
      return reply.code(204).send(null)
    },
  )
}

function renderAdded({ contact, link }: AddedContact) {
  return { ...renderContact(contact), ...(link && { link: link.url, code: link.code }) }
}
