import Type from 'typebox'
import type { AuditEntry } from '../audit/entry.ts'
import { rfc3339 } from './instant.ts'

const nullable = Type.Union([Type.String(), Type.Null()])

/** What {@link renderAuditEntry} makes (security row 30). */
export const AuditEntrySchema = Type.Object(
  {
    seq: Type.Integer(),
    at: Type.String({ format: 'date-time' }),
    actor: Type.String(),
    via: Type.String(),
    action: Type.String(),
    subject: nullable,
    detail: Type.Record(Type.String(), Type.Unknown()),
    hash: Type.String(),
  },
  {
    $id: 'AuditEntry',
    examples: [
      {
        seq: 17,
        at: '2026-01-05T12:00:00.000Z',
        actor: 'anna',
        via: 'sms',
        action: 'alert.ack',
        subject: '019b8e5c-7a00-7001-8000-5f3c2d1e0f13',
        detail: {},
        hash: 'c0ffee0000000000000000000000000000000000000000000000000000000000',
      },
    ],
  },
)

export function renderAuditEntry({ seq, at, actor, via, action, subject, detail, hash }: AuditEntry) {
  return { seq, at: rfc3339(at), actor, via, action, subject, detail, hash }
}
