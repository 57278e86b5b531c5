import Type from 'typebox'
import { PLATFORMS } from '../../devices/device.ts'
import { pushTargetOf } from '../../devices/registration.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { DeviceSchema, renderDevice } from '../../wire/device.ts'
import { FAILURES, IdParams, shared, type App } from '../app.ts'
import { caller } from '../guard.ts'

const Registration = Type.Object(
  {
    platform: Type.Union(PLATFORMS.map((name) => Type.Literal(name))),
    name: Type.Optional(Type.String({ maxLength: 100 })),
    token: Type.Optional(Type.String({ maxLength: 4096, description: 'Registration token of FCM' })),
    subscription: Type.Optional(
      Type.Object(
        {
          endpoint: Type.String({ maxLength: 2048 }),
          keys: Type.Object({
            p256dh: Type.String({ maxLength: 200 }),
            auth: Type.String({ maxLength: 100 }),
          }),
          expirationTime: Type.Optional(
            Type.Union([Type.Number({ minimum: 0, maximum: 8.64e15 }), Type.Null()], {
              description:
                'When the browser ends it, in milliseconds since 1970; a week before, its owner is told',
            }),
          ),
        },
        { description: 'PushSubscription of a browser, as its toJSON() gives it' },
      ),
    ),
  },
  { examples: [{ platform: 'android', token: 'fGh3k…x4Qz', name: 'Pixel 9' }] },
)

/** `/v1/users/me/devices`: where the caller gets push messages (contract section 7), and the key that browsers need. */
export function devices(app: App, engine: Engine): void {
  app.addSchema(DeviceSchema)
  const tags = ['users']

  app.get(
    '/users/me/devices',
    {
      config: { access: 'user' },
      schema: {
        summary: 'My devices',
        tags,
        response: {
          200: Type.Object({ items: Type.Array(Type.Ref('Device#')) }, { description: 'Without tokens' }),
          ...FAILURES,
        },
      },
    },
    async (request) => ({ items: engine.devices.of(caller(request).id).map(renderDevice) }),
  )

  app.post(
    '/users/me/devices',
    {
      config: { access: 'user', errors: ['record.read_only', 'record.stale'] },
      schema: {
        summary: 'Register a device of mine; the same token or endpoint again is the same device',
        tags,
        body: Registration,
        response: {
          200: shared('Device', 'It was registered before'),
          201: shared('Device', 'Registered; the oldest of more than ten gave way'),
          ...FAILURES,
        },
      },
    },
    async (request, reply) => {
      const { id: userId, tenant } = caller(request)
      const { platform, name } = request.body
      const target = pushTargetOf(request.body, engine.config.channels.web_push.allow)
      if ('wrong' in target)
        throw fault('request.invalid', `body/${target.field} ${target.wrong}`, {
          field: target.field,
          in: 'body',
        })
      const registration = { platform, name: name ?? null, target }
      const { device, created } = await engine.devices.register({ tenant, userId }, registration)
      return reply.code(created ? 201 : 200).send(renderDevice(device))
    },
  )

  app.delete(
    '/users/me/devices/:id',
    {
      config: { access: 'user', errors: ['record.read_only'] },
      schema: {
        summary: 'Forget a device of mine',
        tags,
        params: IdParams,
        response: { 204: Type.Null({ description: 'Nothing is sent there any more' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      const { id: userId, tenant } = caller(request)
      if (!(await engine.devices.remove({ tenant, userId }, request.params.id)))
        throw fault('request.not_found', 'There is no such device')
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/push/vapid-public-key',
    {
      schema: {
        summary: 'The `applicationServerKey` that browsers subscribe with',
        tags,
        response: {
          200: Type.Object({ public_key: Type.String() }, { description: 'P-256, base64url (RFC 8292)' }),
          ...FAILURES,
        },
      },
    },
    async () => ({ public_key: engine.vapidPublicKey }),
  )
}
