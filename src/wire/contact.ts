import Type from 'typebox'
import type { ContactView } from '../contact/contact-view.ts'
import { CONTACT_CHANNELS } from '../contact/contact.ts'
import type { OptOut } from '../delivery/answers/opt-outs.ts'
import { rfc3339 } from './instant.ts'
import { maskAddress } from './mask.ts'

/** What {@link renderContact} makes. */
export const ContactSchema = Type.Object(
  {
    id: Type.String(),
    channel: Type.Enum([...CONTACT_CHANNELS]),
    address: Type.Union([
      Type.String({ description: 'In full' }),
      Type.Null({ description: 'A Telegram link that nobody has followed yet' }),
    ]),
    verified: Type.Boolean(),
    verified_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    source: Type.Union([Type.Literal('file'), Type.Literal('api')], {
      description: '`file`: of the configuration, verified and read-only',
    }),
  },
  {
    $id: 'Contact',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f11',
        channel: 'sms',
        address: '+4915112345678',
        verified: true,
        verified_at: '2026-01-05T12:00:00.000Z',
        source: 'api',
      },
    ],
  },
)

/** A contact for its owner, therefore unmasked. */
export function renderContact({ id, channel, address, verified, verifiedAt, source }: ContactView) {
  return { id, channel, address, verified, verified_at: rfc3339(verifiedAt), source }
}

/** What {@link renderOptOut} makes. */
export const OptOutSchema = Type.Object(
  {
    id: Type.String(),
    channel: Type.Literal('sms'),
    address: Type.String({ description: 'Masked' }),
    users: Type.Array(Type.String(), { description: 'Whose number it was when it was stopped' }),
    created_at: Type.String({ format: 'date-time' }),
  },
  {
    $id: 'OptOut',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f11',
        channel: 'sms',
        address: '+49…78',
        users: ['anna'],
        created_at: '2026-01-05T12:00:00.000Z',
      },
    ],
  },
)

/** An opt-out for operators. */
export function renderOptOut({ id, phone, users, at }: OptOut) {
  return { id, channel: 'sms' as const, address: maskAddress(phone), users, created_at: rfc3339(at) }
}
