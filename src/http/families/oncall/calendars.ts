import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Person, Team } from '../../../directory/directory.ts'
import type { Engine } from '../../../engine.ts'
import { fault } from '../../../errors.ts'
import { writeCalendar } from '../../../oncall/calendar/write-calendar.ts'
import { shifts } from '../../../oncall/shifts.ts'
import { FAILURES, type App } from '../../app.ts'
import { caller } from '../../guard.ts'
import { reader } from '../alerts.ts'
import { tags, teamIn, TeamParams, type DutyDeps } from './changes.ts'

const CALENDAR = 'text/calendar'
const MONTHS_BEFORE = 1
const MONTHS_AFTER = 6

const ICalendar = Type.String({ description: 'iCalendar (RFC 5545): last month and the next six' })

/** `/v1/oncall/{team}.ics`, and the calendar that is imported in its place. */
export function calendars(app: App, engine: Engine, { book, feeds }: DutyDeps): void {
  app.addContentTypeParser(CALENDAR, { parseAs: 'string' }, async (_request: unknown, body: string) => body)

  app.get(
    '/oncall/:team.ics',
    {
      schema: {
        summary: 'The shifts of a team as a calendar',
        tags,
        params: TeamParams,
        produces: [CALENDAR],
        response: { 200: ICalendar, ...FAILURES },
      },
    },
    async (request, reply) => {
      reader(caller(request))
      return reply.type(`${CALENDAR}; charset=utf-8`).send(calendarOf(engine, teamIn(engine, request)))
    },
  )

  app.post(
    '/oncall/:team/import',
    {
      config: { access: 'operator', errors: ['oncall.invalid_calendar', 'record.read_only'] },
      schema: {
        summary: 'Take the duties of a calendar, in place of the one before',
        tags,
        params: TeamParams,
        consumes: [CALENDAR],
        body: Type.String({
          description:
            'iCalendar; SUMMARY or ATTENDEE of an event names the user, repetitions are daily or weekly',
        }),
        response: {
          200: Type.Object({ events: Type.Integer() }, { description: 'All of it was taken' }),
          ...FAILURES,
        },
      },
    },
    async (request) => ({
      events: await book.importCalendar(teamIn(engine, request), caller(request), request.body),
    }),
  )

  app.delete(
    '/oncall/:team/import',
    {
      config: { access: 'operator', errors: ['record.read_only'] },
      schema: {
        summary: 'Drop the imported calendar',
        tags,
        params: TeamParams,
        response: { 204: Type.Null({ description: 'Dropped' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      const removed = await book.removeCalendar(teamIn(engine, request), caller(request))
      if (!removed) throw fault('request.not_found')
      return reply.code(204).send(null)
    },
  )

  feedRoutes(app, engine, feeds)
}

function feedRoutes(app: App, engine: Engine, feeds: DutyDeps['feeds']): void {
  app.post(
    '/oncall/:team/feed',
    {
      config: { access: 'user' },
      schema: {
        summary: 'A secret address of my own for calendar programs; the one before is void',
        tags,
        params: TeamParams,
        response: {
          201: Type.Object(
            { path: Type.String({ examples: ['/ical/qwertzuiopasdfghjklyxcvbnmqwer.ics'] }) },
            { description: 'Below the address of this server; it cannot be shown again' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request, reply) => {
      const secret = await feeds.create(personOf(engine, request), teamIn(engine, request).name)
      return reply.code(201).send({ path: `/ical/${secret}.ics` })
    },
  )

  app.delete(
    '/oncall/:team/feed',
    {
      config: { access: 'user' },
      schema: {
        summary: 'Void my secret address',
        tags,
        params: TeamParams,
        response: { 204: Type.Null({ description: 'It opens nothing any more' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      const { team } = request.params
      if (!(await feeds.revoke(personOf(engine, request), team))) throw fault('request.not_found')
      return reply.code(204).send(null)
    },
  )
}

/** `/ical/{secret}.ics`: what calendar programs read, who can send no header. Every secret that opens nothing is 404. */
export function calendarFeed(app: App, engine: Engine, { feeds }: DutyDeps): void {
  app.get(
    '/ical/:secret.ics',
    {
      config: { access: 'open', secretPath: true },
      schema: {
        summary: 'A feed of shifts, for whoever knows its address',
        tags,
        params: Type.Object({ secret: Type.String({ maxLength: 100 }) }),
        produces: [CALENDAR],
        response: { 200: ICalendar, ...FAILURES },
      },
    },
    async (request, reply) => {
      const feed = feeds.find(request.params.secret)
      // It ends with the person, and with the team.
      const here = feed !== undefined && engine.directory.user(feed.user)?.tenant === feed.tenant
      const team = here ? engine.directory.team(feed.tenant, feed.team) : undefined
      if (team === undefined) throw fault('request.not_found')
      return reply
        .header('cache-control', 'private, no-store')
        .type(`${CALENDAR}; charset=utf-8`)
        .send(calendarOf(engine, team))
    },
  )
}

function personOf(engine: Engine, request: FastifyRequest): Person {
  const person = engine.directory.user(caller(request).id)
  if (person === undefined) throw fault('request.not_found')
  return person
}

/** From the first of a month on, so that a shift which has begun keeps its beginning, and with it its UID. */
function calendarOf(engine: Engine, team: Team): string {
  const now = engine.clock.now()
  const today = new Date(now)
  const month = (offset: number) => Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + offset, 1)
  return writeCalendar({
    tenant: team.tenant,
    team: team.name,
    shifts: team.schedule ? shifts(team.schedule, month(-MONTHS_BEFORE), month(MONTHS_AFTER)) : [],
    nameOf: (id) => engine.directory.user(id)?.name ?? id,
    now,
  })
}
