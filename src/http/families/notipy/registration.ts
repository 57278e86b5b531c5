import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { addressKey } from '../../../access/address-key.ts'
import { isOperator, type Principal } from '../../../access/principal.ts'
import { fault } from '../../../errors.ts'
import type { ServiceCredentials } from '../../../notipy/services.ts'
import { FAILURES, type App } from '../../app.ts'
import { isRegistrationOpen, serviceCalling, type NotiPyDeps } from './calling-service.ts'

const Credentials = Type.Object(
  { service_id: Type.String(), service_token: Type.String() },
  {
    description: 'Shown this once',
    examples: [{ service_id: 'qmzpt', service_token: 'abcdefghijklmnopqrstuvwxyz' }],
  },
)

/** `/api/v1/register` (checklist N04, N13). */
export function registration(app: App, deps: NotiPyDeps): void {
  const { notiPy, audit } = deps

  app.post(
    '/register',
    {
      config: {
        withoutService: true,
        proof: 'principal',
        errors: ['notipy.registration_closed', 'rate_limit_exceeded'],
      },
      schema: {
        summary: 'Register a service',
        description:
          'Needs the token of an operator, unless `notipy.open_registration` lets anybody register.',
        tags: ['notipy'],
        security: [{}, { bearer: [] }, { apiKey: [] }],
        response: { 200: Credentials, ...FAILURES },
      },
    },
    async (request) => {
      const by = await admit(request, deps)
      const service = await notiPy.register()
      await audit('service.register', service, by)
      return rendered(service)
    },
  )

  app.post(
    '/register/rotate',
    {
      config: { errors: ['auth.forbidden'] },
      schema: {
        summary: 'Another token for the calling service; the old one ends at once',
        tags: ['notipy'],
        response: { 200: Credentials, ...FAILURES },
      },
    },
    async (request) => {
      const service = await notiPy.services.rotate(changeable(request))
      await audit('service.rotate', service)
      return rendered(service)
    },
  )

  app.delete(
    '/register',
    {
      config: { errors: ['auth.forbidden'] },
      schema: {
        summary: 'End the calling service and its events',
        tags: ['notipy'],
        response: { 200: Type.Object({ message: Type.String() }, { description: 'Ended' }), ...FAILURES },
      },
    },
    async (request) => {
      const service = changeable(request)
      await notiPy.revoke(service)
      await audit('service.remove', service)
      return { message: 'service deleted successfully' }
    },
  )
}

/** Anybody where registration is open, but not without end; else an operator, who is answered. */
async function admit(
  request: FastifyRequest,
  { notiPy, authenticator, config }: NotiPyDeps,
): Promise<Principal | undefined> {
  if (isRegistrationOpen(config())) {
    notiPy.admitRegistration(addressKey(request.ip))
    return undefined
  }
  const { authorization, 'x-api-key': apiKey } = request.headers
  const identity = await authenticator.http({
    // No cookie: a foreign page could send it.
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(apiKey !== undefined && { 'x-api-key': apiKey }),
    },
  })
  if (identity?.via !== 'header') throw fault('auth.missing')
  if (!isOperator(identity.principal)) throw fault('notipy.registration_closed')
  return identity.principal
}

function changeable(request: FastifyRequest) {
  const service = serviceCalling(request)
  if (service.configured) throw fault('auth.forbidden', 'The configuration file owns this client')
  return service
}

function rendered({ id, token }: ServiceCredentials) {
  return { service_id: id, service_token: token }
}
