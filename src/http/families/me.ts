import Type from 'typebox'
import type { Engine } from '../../engine.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'

const optionalString = () => Type.Optional(Type.String())

const Me = Type.Object(
  {
    id: Type.String(),
    kind: Type.Enum(['user', 'client']),
    tenant: Type.String(),
    roles: Type.Array(Type.String()),
    name: optionalString(),
    email: optionalString(),
    phone: optionalString(),
    locale: optionalString(),
    timezone: optionalString(),
    groups: Type.Optional(Type.Array(Type.String())),
    customers: Type.Optional(Type.Array(Type.String())),
    teams: Type.Optional(Type.Array(Type.String())),
    preferences: Type.Optional(Type.Record(Type.String(), Type.Boolean())),
    expires_at: Type.Optional(Type.String({ format: 'date-time' })),
  },
  {
    $id: 'Me',
    examples: [{ id: 'anna', kind: 'user', tenant: 'default', roles: ['admin'], name: 'Anna K.' }],
  },
)

/** `/v1/users/me`: who the caller is. */
export function me(app: App, engine: Engine): void {
  app.addSchema(Me)

  app.get(
    '/users/me',
    {
      schema: {
        summary: 'Who I am',
        tags: ['users'],
        response: { 200: Type.Ref('Me#', { description: 'The caller' }), ...FAILURES },
      },
    },
    async (request) => {
      const { id, kind, tenant, roles, expiresAt } = caller(request)
      const { directory } = engine
      const person = kind === 'user' ? directory.user(id) : undefined
      return {
        id,
        kind,
        tenant,
        roles,
        ...(person && {
          name: person.name,
          ...(person.email !== undefined && { email: person.email }),
          ...(person.phone !== undefined && { phone: person.phone }),
          locale: person.locale,
          timezone: person.timezone,
          groups: person.groups,
          customers: person.customers,
          teams: directory
            .teams(tenant)
            .filter((team) => team.members.includes(id))
            .map((team) => team.name),
          preferences: person.preferences,
        }),
        ...(expiresAt !== undefined && { expires_at: new Date(expiresAt).toISOString() }),
      }
    },
  )
}
