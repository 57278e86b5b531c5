import Type from 'typebox'
import type { Problem } from '../preflight/preflight.ts'
import { rfc3339 } from './instant.ts'

const nullable = () => Type.Union([Type.String(), Type.Null()])

/** What {@link renderProblem} makes. */
export const ProblemSchema = Type.Object(
  {
    code: Type.String(),
    team: Type.String(),
    user: nullable(),
    from: nullable(),
    to: nullable(),
    message: Type.String(),
  },
  {
    $id: 'Problem',
    examples: [
      {
        code: 'schedule_gap',
        team: 'platform',
        user: null,
        from: '2026-01-05T12:00:00.000Z',
        to: '2026-01-06T08:00:00.000Z',
        message:
          'Nobody of team platform is on call from 2026-01-05T12:00:00.000Z to 2026-01-06T08:00:00.000Z',
      },
    ],
  },
)

export function renderProblem({ code, team, user, from, to, message }: Problem) {
  return { code, team, user, from: rfc3339(from), to: rfc3339(to), message }
}
