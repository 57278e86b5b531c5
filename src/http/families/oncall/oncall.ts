import Type from 'typebox'
import type { Person, Team } from '../../../directory/directory.ts'
import type { Engine } from '../../../engine.ts'
import { fault } from '../../../errors.ts'
import type { Schedule } from '../../../oncall/schedule.ts'
import { formatDuration } from '../../../duration.ts'
import { rfc3339 } from '../../../wire/instant.ts'
import { FAILURES, type App } from '../../app.ts'
import { caller } from '../../guard.ts'
import { reader } from '../alerts.ts'
import { InstantText, parseInstant } from '../../instant-query.ts'

/** The pure functions of `src/oncall/shifts.ts` that these routes need. */
export interface OnCallFunctions {
  currentShift(
    schedule: Schedule,
    at: number,
  ): {
    readonly user: string
    readonly users: readonly string[]
    readonly from: number | null
    readonly to: number | null
  } | null
  nextOnCall(schedule: Schedule, at: number): string | null
  shifts(
    schedule: Schedule,
    from: number,
    to: number,
  ): readonly { readonly user: string; readonly from: number; readonly to: number }[]
  gaps(
    schedule: Schedule,
    from: number,
    to: number,
  ): readonly { readonly from: number; readonly to: number }[]
}

const WEEK_MS = 7 * 86_400_000
const LONGEST_WINDOW_MS = 366 * 86_400_000

const nullable = () => Type.Union([Type.String(), Type.Null()])

const OnCallNow = Type.Object(
  {
    team: Type.String(),
    user: nullable(),
    name: nullable(),
    users: Type.Array(Type.String(), { description: 'Everybody who is on at once; `user` is the first' }),
    since: nullable(),
    until: nullable(),
    next: nullable(),
  },
  {
    $id: 'OnCallNow',
    examples: [
      {
        team: 'platform',
        user: 'anna',
        name: 'Anna K.',
        users: ['anna'],
        since: '2026-01-05T08:00:00.000Z',
        until: '2026-01-12T08:00:00.000Z',
        next: 'bob',
      },
    ],
  },
)

const TeamSchema = Type.Object(
  {
    name: Type.String(),
    alert_types: Type.Array(Type.String()),
    members: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })),
    on_call: nullable(),
    timezone: nullable(),
    escalation: Type.Object({
      steps: Type.Array(Type.Object({ notify: Type.Array(Type.String()), wait: Type.String() })),
      repeat: Type.Integer(),
      ack_timeout: nullable(),
    }),
  },
  { $id: 'Team' },
)

/** `/v1/teams` and `/v1/oncall` (contract section 6). */
export function onCall(app: App, engine: Engine, functions: OnCallFunctions): void {
  app.addSchema(OnCallNow)
  app.addSchema(TeamSchema)
  const nameOf = (id: string | null) => (id === null ? null : (engine.directory.user(id)?.name ?? id))

  const nowOf = (team: Team) => {
    const now = engine.clock.now()
    const shift = team.schedule && functions.currentShift(team.schedule, now)
    return {
      team: team.name,
      user: shift?.user ?? null,
      name: nameOf(shift?.user ?? null),
      users: shift?.users ?? [],
      since: rfc3339(shift?.from ?? null),
      until: rfc3339(shift?.to ?? null),
      next: team.schedule && functions.nextOnCall(team.schedule, now),
    }
  }

  app.get(
    '/oncall',
    {
      schema: {
        summary: 'Who is on call now',
        tags: ['on call'],
        response: {
          200: Type.Object({ items: Type.Array(Type.Ref('OnCallNow#')) }, { description: 'Every team' }),
          ...FAILURES,
        },
      },
    },
    async (request) => ({ items: engine.directory.teams(reader(caller(request)).tenant).map(nowOf) }),
  )

  app.get(
    '/oncall/:team',
    {
      schema: {
        summary: 'The shifts of a team in a window',
        tags: ['on call'],
        params: Type.Object({ team: Type.String({ maxLength: 200 }) }),
        querystring: Type.Object({
          from: Type.Optional(InstantText('RFC 3339; now when absent')),
          to: Type.Optional(InstantText('RFC 3339; a week after `from` when absent')),
        }),
        response: {
          200: Type.Object(
            {
              items: Type.Array(
                Type.Object({
                  user: Type.String(),
                  from: Type.String({ format: 'date-time' }),
                  to: Type.String({ format: 'date-time' }),
                }),
              ),
              gaps: Type.Array(
                Type.Object({
                  from: Type.String({ format: 'date-time' }),
                  to: Type.String({ format: 'date-time' }),
                }),
                { description: 'When nobody is on call' },
              ),
            },
            { description: 'Clipped to the window; shifts overlap where several people are on at once' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const team = engine.directory.team(reader(caller(request)).tenant, request.params.team)
      if (!team) throw fault('request.not_found')
      const from = parseInstant('from', request.query.from) ?? engine.clock.now()
      const to = parseInstant('to', request.query.to) ?? from + WEEK_MS
      if (to - from > LONGEST_WINDOW_MS) {
        throw fault('request.invalid', 'The window is longer than a year', { field: 'to', in: 'query' })
      }
      const { schedule } = team
      const found = schedule ? functions.shifts(schedule, from, to) : []
      const empty = schedule ? functions.gaps(schedule, from, to) : from < to ? [{ from, to }] : []
      return {
        items: found.map((shift) => ({ user: shift.user, from: rfc3339(shift.from), to: rfc3339(shift.to) })),
        gaps: empty.map((gap) => ({ from: rfc3339(gap.from), to: rfc3339(gap.to) })),
      }
    },
  )

  app.get(
    '/teams',
    {
      schema: {
        summary: 'Teams, what they own and how they escalate',
        tags: ['on call'],
        response: {
          200: Type.Object({ items: Type.Array(Type.Ref('Team#')) }, { description: 'Every team' }),
          ...FAILURES,
        },
      },
    },
    async (request) => ({
      items: engine.directory
        .teams(reader(caller(request)).tenant)
        .map((team) => renderTeam(team, nowOf(team).user, (id) => engine.directory.user(id))),
    }),
  )
}

function renderTeam(team: Team, onCallNow: string | null, user: (id: string) => Person | undefined) {
  const { policy, schedule } = team
  return {
    name: team.name,
    alert_types: team.alertTypes,
    members: team.members.map((id) => ({ id, name: user(id)?.name ?? id })),
    on_call: onCallNow,
    timezone: schedule?.timezone ?? null,
    escalation: {
      steps: policy.steps.map((step) => ({ notify: step.notify, wait: formatDuration(step.waitMs) })),
      repeat: policy.repeat,
      ack_timeout: policy.ackTimeoutMs === null ? null : formatDuration(policy.ackTimeoutMs),
    },
  }
}
