import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { isOperator } from '../../access/principal.ts'
import type { Person } from '../../directory/directory.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { changedRows, MOST_ROWS, type ChangeScope } from '../../preferences/change.ts'
import { groupsOf } from '../../preferences/groups.ts'
import { notificationTypes } from '../../preferences/notification-types.ts'
import type { Preference } from '../../preferences/preference.ts'
import { FAILURES, shared, type App } from '../app.ts'
import { caller } from '../guard.ts'

const closed = { additionalProperties: false } as const
const customer = Type.String({ maxLength: 200, description: 'One of your customers; absent: all' })

const Setting = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean()),
    channels: Type.Optional(
      Type.Array(Type.String(), { maxItems: 20, description: 'Such as system, email, sms' }),
    ),
    default: Type.Optional(Type.Boolean({ description: 'You have said nothing about it' })),
  },
  closed,
)

const Groups = Type.Record(
  Type.String(),
  Type.Object({ events: Type.Record(Type.String(), Setting) }, closed),
  { description: 'Settings by group and event; `*` is every event of a group' },
)

const Row = Type.Object(
  {
    event_type: Type.String({ description: 'Name or pattern, such as `payment.*`' }),
    channel: Type.String(),
    // A list of types would be coerced, and null is no kind of false here.
    enabled: Type.Unsafe<boolean | null>({
      enum: [true, false, null],
      description: 'null takes the row away',
    }),
    customer_id: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        maxLength: 200,
        description: 'null: all customers',
      }),
    ),
  },
  closed,
)

const Preferences = Type.Object(
  { groups: Groups, preferences: Type.Array(Row), customer_id: Type.Optional(customer) },
  {
    $id: 'Preferences',
    examples: [
      {
        groups: { chat: { events: { message_received: { enabled: true, channels: ['system', 'email'] } } } },
        preferences: [{ event_type: 'payment.*', channel: 'email', enabled: false }],
      },
    ],
  },
)

const Query = Type.Object({ customer_id: Type.Optional(customer) })
type Query = Static<typeof Query>

/** C05, C06, C17, X34: what a person wants to hear of, and on which channels. Part of the CoreBanq API. */
export function preferences(app: App, engine: Engine): void {
  app.addSchema(Preferences)

  app.get(
    '/notifications/preferences',
    {
      config: {
        access: 'user',
        failure: 'notifications_m.failed_to_fetch_preferences',
        errors: ['notifications_m.not_found'],
      },
      schema: {
        summary: 'What I want to hear of, and on which channels',
        tags: ['notifications'],
        querystring: Type.Object({
          ...Query.properties,
          user_id: Type.Optional(
            Type.String({ maxLength: 200, description: 'Somebody else, for roles admin and ops' }),
          ),
        }),
        response: { 200: shared('Preferences', 'As they are now'), ...FAILURES },
      },
    },
    async (request) => {
      const { user_id: userId, customer_id: customerId } = request.query
      const person = userId === undefined ? self(engine, request) : other(engine, request, userId)
      if (customerId !== undefined && !person.customers.includes(customerId))
        throw fault('notifications_m.not_found', 'There is no such customer')
      return shown(engine.preferences.rows(person), scopeOf(engine, person, customerId))
    },
  )

  app.put(
    '/notifications/preferences',
    {
      config: {
        access: 'user',
        failure: 'notifications_m.failed_to_update_preferences',
        errors: [
          'notifications_m.not_found',
          'notifications_m.invalid_group',
          'notifications_m.invalid_channel',
          'notifications_m.invalid_event',
          'record.stale',
        ],
      },
      schema: {
        summary: 'Change what I want to hear of; what is not named stays',
        tags: ['notifications'],
        querystring: Query,
        body: Type.Object(
          {
            groups: Type.Optional(Groups),
            preferences: Type.Optional(Type.Array(Row, { maxItems: MOST_ROWS })),
            customer_id: Type.Optional(customer),
          },
          {
            ...closed,
            examples: [
              { preferences: [{ event_type: 'payment.*', channel: 'email', enabled: false }] },
              { groups: { chat: { events: { message_received: { channels: ['system', 'email'] } } } } },
            ],
          },
        ),
        response: { 200: shared('Preferences', 'As they are now'), ...FAILURES },
      },
    },
    async (request) => {
      const person = self(engine, request)
      const scope = scopeOf(engine, person, request.body.customer_id ?? request.query.customer_id)
      const rows = await engine.preferences.change(person, (before) =>
        changedRows(before, request.body, scope),
      )
      return shown(rows, scope)
    },
  )
}

function self(engine: Engine, request: FastifyRequest): Person {
  const person = engine.directory.user(caller(request).id)
  if (person === undefined) throw fault('notifications_m.invalid_user_id')
  return person
}

function other(engine: Engine, request: FastifyRequest, userId: string): Person {
  const by = caller(request)
  const person = engine.directory.user(userId)
  const mayLook = by.id === userId || isOperator(by)
  if (person === undefined || person.tenant !== by.tenant || !mayLook)
    throw fault('notifications_m.not_found', 'There is no such user')
  return person
}

function scopeOf(engine: Engine, person: Person, customerId: string | undefined): ChangeScope {
  const { preferences: switches, customers } = person
  return {
    types: notificationTypes(engine.config.notification_types),
    customerId: customerId ?? null,
    customers,
    switches: { ...switches, push: switches.push && engine.canReach(person, 'push') },
  }
}

/** Rows for customers that the person has no more are kept, and shown to nobody. */
function shown(rows: readonly Preference[], scope: ChangeScope) {
  const { customerId, customers } = scope
  const seen = rows.filter(
    (row) =>
      row.customerId === null ||
      (customerId === null ? customers.includes(row.customerId) : row.customerId === customerId),
  )
  return {
    groups: groupsOf(rows, scope),
    preferences: seen.map((row) => ({
      event_type: row.eventType,
      channel: row.channel,
      enabled: row.enabled,
      ...(row.customerId !== null && { customer_id: row.customerId }),
    })),
    ...(customerId !== null && { customer_id: customerId }),
  }
}
