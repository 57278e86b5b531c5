import { isUtf8 } from 'node:buffer'
import Type from 'typebox'
import type { DeadLetter } from '../store/store.ts'
import { rfc3339 } from './instant.ts'

/** What {@link renderDeadLetter} makes (contract section 7). */
export const DeadLetterSchema = Type.Object(
  {
    id: Type.String(),
    topic: Type.String(),
    payload: Type.String(),
    payload_encoding: Type.Union([Type.Literal('utf8'), Type.Literal('base64')]),
    principal: Type.String(),
    reason: Type.String(),
    code: Type.String(),
    created_at: Type.String({ format: 'date-time' }),
    replays: Type.Integer({ minimum: 0, description: 'How often a replay of it was refused again' }),
  },
  {
    $id: 'DeadLetter',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f13',
        topic: 'notifications/realtime/user/anna',
        payload: '{"titel":"Hello"}',
        payload_encoding: 'utf8',
        principal: 'db-monitor',
        reason: 'Message is required',
        code: 'publish.invalid_body',
        created_at: '2026-01-05T12:00:00.000Z',
        replays: 0,
      },
    ],
  },
)

/** A dead letter on the wire; a payload that is no text stands there in base64. */
export function renderDeadLetter(letter: DeadLetter) {
  const text = isUtf8(letter.payload)
  return {
    id: letter.id,
    topic: letter.topic,
    payload: Buffer.from(letter.payload).toString(text ? 'utf8' : 'base64'),
    payload_encoding: text ? ('utf8' as const) : ('base64' as const),
    principal: letter.principal,
    reason: letter.reason,
    code: letter.code,
    created_at: rfc3339(letter.createdAt),
    replays: letter.replays,
  }
}
