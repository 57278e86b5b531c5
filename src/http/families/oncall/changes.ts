import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Team } from '../../../directory/directory.ts'
import type { Engine } from '../../../engine.ts'
import { fault } from '../../../errors.ts'
import type { DutyBook, Owned } from '../../../oncall/duty-book.ts'
import type { Feeds } from '../../../oncall/feeds.ts'
import { OVERRIDE_KINDS, type Override, type TemporarySchedule } from '../../../oncall/schedule.ts'
import { rfc3339 } from '../../../wire/instant.ts'
import { FAILURES, shared, type App } from '../../app.ts'
import { caller } from '../../guard.ts'

/** What changes schedules while the program runs. */
export interface DutyDeps {
  readonly book: DutyBook
  readonly feeds: Feeds
}

export const tags = ['on call']
export const TeamParams = Type.Object({ team: Type.String({ maxLength: 200 }) })
const TeamIdParams = Type.Object({
  team: Type.String({ maxLength: 200 }),
  id: Type.String({ maxLength: 200 }),
})

const dateTime = () => Type.String({ format: 'date-time' })
const time = (which: string) =>
  Type.String({
    maxLength: 40,
    description: `${which}: local time of the schedule, 2027-01-01T09:00, or one with an offset`,
  })
const ownedBy = {
  by: Type.Union([Type.String(), Type.Null()], { description: 'Who made it; null: the configuration' }),
  source: Type.Enum(['file', 'api']),
}

const OverrideSchema = Type.Object(
  {
    id: Type.String(),
    user: Type.String(),
    from: dateTime(),
    to: dateTime(),
    kind: Type.Enum([...OVERRIDE_KINDS]),
    replaces: Type.Union([Type.String(), Type.Null()]),
    ...ownedBy,
  },
  {
    $id: 'OncallOverride',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f11',
        user: 'bob',
        from: '2026-12-24T08:00:00.000Z',
        to: '2026-12-27T08:00:00.000Z',
        kind: 'replace',
        replaces: null,
        by: 'anna',
        source: 'api',
      },
    ],
  },
)

const ShiftWish = Type.Object({ user: Type.String({ maxLength: 200 }), from: time('Begin'), to: time('End') })

const TemporarySchema = Type.Object(
  {
    id: Type.String(),
    from: dateTime(),
    to: dateTime(),
    shifts: Type.Array(Type.Object({ user: Type.String(), from: dateTime(), to: dateTime() })),
    ...ownedBy,
  },
  {
    $id: 'TemporarySchedule',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f12',
        from: '2026-12-24T00:00:00.000Z',
        to: '2026-12-26T00:00:00.000Z',
        shifts: [{ user: 'bob', from: '2026-12-24T00:00:00.000Z', to: '2026-12-26T00:00:00.000Z' }],
        by: 'anna',
        source: 'api',
      },
    ],
  },
)

/** The team of the path, of the caller's tenant. */
export function teamIn(engine: Engine, request: FastifyRequest): Team {
  const { team: name } = request.params as { readonly team: string }
  const team = engine.directory.team(caller(request).tenant, name)
  if (!team) throw fault('request.not_found')
  return team
}

/** `/v1/oncall/{team}/overrides` and `…/temporary` (behaviours E23, E24). */
export function dutyChanges(app: App, engine: Engine, { book }: DutyDeps): void {
  app.addSchema(OverrideSchema)
  app.addSchema(TemporarySchema)
  overrides(app, engine, book)
  temporarySchedules(app, engine, book)
}

function overrides(app: App, engine: Engine, book: DutyBook): void {
  app.get(
    '/oncall/:team/overrides',
    {
      schema: {
        summary: 'Changes of the duty for a limited time',
        tags,
        params: TeamParams,
        response: {
          200: Type.Object(
            { items: Type.Array(Type.Ref('OncallOverride#')) },
            { description: 'Those of the configuration first; later ones win' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => ({ items: book.overrides(teamIn(engine, request)).map(renderOverride) }),
  )

  app.post(
    '/oncall/:team/overrides',
    {
      config: { errors: ['publish.unknown_user', 'oncall.past', 'oncall.overlap', 'oncall.too_many'] },
      schema: {
        summary: 'Replace who is on call, add somebody, or take somebody out, at once or later',
        tags,
        params: TeamParams,
        body: Type.Object(
          {
            ...ShiftWish.properties,
            kind: Type.Optional(Type.Enum([...OVERRIDE_KINDS], { description: '`replace` when absent' })),
            replaces: Type.Optional(
              Type.String({
                maxLength: 200,
                description: '`replace`: only this person; whoever is on when absent',
              }),
            ),
          },
          { examples: [{ user: 'bob', from: '2026-12-24T09:00', to: '2026-12-27T09:00' }] },
        ),
        response: { 201: shared('OncallOverride', 'It counts from now on'), ...FAILURES },
      },
    },
    async (request, reply) => {
      const added = await book.addOverride(teamIn(engine, request), caller(request), request.body)
      return reply.code(201).send(renderOverride(added))
    },
  )

  app.delete(
    '/oncall/:team/overrides/:id',
    {
      config: { errors: ['record.read_only'] },
      schema: {
        summary: 'Take a change back',
        tags,
        params: TeamIdParams,
        response: { 204: Type.Null({ description: 'Removed' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      await book.removeOverride(teamIn(engine, request), caller(request), request.params.id)
      return reply.code(204).send(null)
    },
  )
}

function temporarySchedules(app: App, engine: Engine, book: DutyBook): void {
  app.get(
    '/oncall/:team/temporary',
    {
      schema: {
        summary: 'Schedules that stand for the normal one for a while',
        tags,
        params: TeamParams,
        response: {
          200: Type.Object(
            { items: Type.Array(Type.Ref('TemporarySchedule#')) },
            { description: 'In the order in which they were made' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => ({ items: book.temporary(teamIn(engine, request)).map(renderTemporary) }),
  )

  app.post(
    '/oncall/:team/temporary',
    {
      config: { errors: ['publish.unknown_user', 'oncall.past', 'oncall.overlap', 'oncall.too_many'] },
      schema: {
        summary: 'Let these shifts stand for the normal schedule; where none lies, nobody is on call',
        tags,
        params: TeamParams,
        body: Type.Object(
          { from: time('Begin'), to: time('End'), shifts: Type.Array(ShiftWish, { maxItems: 500 }) },
          {
            examples: [
              {
                from: '2026-12-24T00:00',
                to: '2026-12-26T00:00',
                shifts: [{ user: 'bob', from: '2026-12-24T00:00', to: '2026-12-26T00:00' }],
              },
            ],
          },
        ),
        response: { 201: shared('TemporarySchedule', 'It counts from now on'), ...FAILURES },
      },
    },
    async (request, reply) => {
      const added = await book.addTemporary(teamIn(engine, request), caller(request), request.body)
      return reply.code(201).send(renderTemporary(added))
    },
  )

  app.delete(
    '/oncall/:team/temporary/:id',
    {
      config: { errors: ['record.read_only'] },
      schema: {
        summary: 'Go back to the normal schedule',
        tags,
        params: TeamIdParams,
        response: { 204: Type.Null({ description: 'Removed' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      await book.removeTemporary(teamIn(engine, request), caller(request), request.params.id)
      return reply.code(204).send(null)
    },
  )
}

const sourceOf = (by: string | null) => (by === null ? 'file' : 'api')

function renderOverride({ id, user, from, to, kind = 'replace', replaces, by }: Owned<Override>) {
  const window = { from: rfc3339(from), to: rfc3339(to) }
  return { id, user, ...window, kind, replaces: replaces ?? null, by, source: sourceOf(by) } as const
}

function renderTemporary({ id, from, to, shifts, by }: Owned<TemporarySchedule>) {
  return {
    id,
    from: rfc3339(from),
    to: rfc3339(to),
    shifts: shifts.map((shift) => ({ user: shift.user, from: rfc3339(shift.from), to: rfc3339(shift.to) })),
    by,
    source: sourceOf(by),
  } as const
}
