import Type from 'typebox'
import { ALERT_LEVELS } from '../alert/alert.ts'
import type { ListedSilence } from '../noise/silences.ts'
import { rfc3339 } from './instant.ts'

/** Which alerts a silence is about: every field that is there has to fit. */
export const MatchSchema = Type.Object(
  {
    type: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: '`*` for anything' })),
    source: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: '`*` for anything' })),
    severity: Type.Optional(Type.Union(ALERT_LEVELS.map((level) => Type.Literal(level)))),
    team: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  },
  { additionalProperties: false },
)

const instant = () => Type.String({ format: 'date-time' })

/** What {@link renderSilence} makes (contract section 6). */
export const SilenceSchema = Type.Object(
  {
    id: Type.String(),
    owner: Type.String(),
    match: MatchSchema,
    reason: Type.String(),
    created_at: instant(),
    until: instant(),
    ended_at: Type.Union([instant(), Type.Null()]),
    ended_by: Type.Union([Type.String(), Type.Null()]),
    active: Type.Boolean(),
    hidden: Type.Object({
      count: Type.Integer({ description: 'Alerts it has kept quiet so far' }),
      alerts: Type.Array(Type.String(), { description: 'The ids of the latest hundred' }),
    }),
  },
  {
    $id: 'Silence',
    examples: [
      {
        id: '019b8e42-0000-7000-8000-000000000001',
        owner: 'anna',
        match: { type: 'disk_*' },
        reason: 'New disks are being built in',
        created_at: '2026-01-05T12:00:00.000Z',
        until: '2026-01-05T14:00:00.000Z',
        ended_at: null,
        ended_by: null,
        active: true,
        hidden: { count: 1, alerts: ['019b8e42-7d21-7000-9c1f-3a5d0e8b9f10'] },
      },
    ],
  },
)

/** A silence on the wire. */
export function renderSilence({ id, owner, match, reason, createdAt, until, ...rest }: ListedSilence) {
  return {
    id,
    owner,
    match,
    reason,
    created_at: rfc3339(createdAt),
    until: rfc3339(until),
    ended_at: rfc3339(rest.ended?.at ?? null),
    ended_by: rest.ended?.by ?? null,
    active: rest.active,
    hidden: { count: rest.hidden.count, alerts: rest.hidden.alertIds },
  }
}
