import type { FastifyRequest } from 'fastify'
import type { Authenticator } from '../../../access/authenticate.ts'
import type { Principal } from '../../../access/principal.ts'
import { isLoopback } from '../../../config/checks/exposure.ts'
import type { Config } from '../../../config/schema/schema.ts'
import { fault } from '../../../errors.ts'
import type { EventOwner } from '../../../notipy/events.ts'
import type { NotiPy } from '../../../notipy/notipy.ts'
import { SERVICE_CHANNELS } from '../../../notipy/plan-send.ts'
import type { Service } from '../../../notipy/services.ts'

export interface NotiPyDeps {
  readonly notiPy: NotiPy
  readonly authenticator: Pick<Authenticator, 'http'>
  readonly config: () => Config
  /** Writes down what became of a service's credentials. */
  readonly audit: (action: string, service: Pick<Service, 'id'>, by?: Principal) => Promise<void>
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls the NotiPy API; null where that is not asked. */
    service: Service | null
  }
  interface FastifyContextConfig {
    /** Whether a NotiPy route is for whoever is no service yet. */
    withoutService?: boolean
  }
}

/** Who sends `X-Service-Id` and `X-Service-Token`: a registered service, or a client of the configuration. */
export async function serviceOf(
  { headers }: FastifyRequest,
  { notiPy, authenticator }: NotiPyDeps,
): Promise<Service> {
  const id = headers['x-service-id']
  const token = headers['x-service-token']
  if (typeof id !== 'string' || typeof token !== 'string') throw fault('notipy.unknown_service')
  const registered = notiPy.services.find(id, token)
  if (registered) return registered
  // The two headers alone: whatever else is sent proves somebody else.
  const identity = await authenticator
    .http({ headers: { 'x-service-id': id, 'x-service-token': token } })
    .catch(() => null)
  if (identity?.via !== 'header') throw fault('notipy.unknown_service')
  const { principal } = identity
  return { id, owner: principal.id, principal, configured: true }
}

/** The service of a route that asks for one. */
export function serviceCalling({ service }: FastifyRequest): Service {
  if (service === null) throw fault('notipy.unknown_service')
  return service
}

/**
 * Whether anybody may register. Whoever registers may send to any address, so that it stays closed where that costs or
 * annoys somebody, unless the configuration says otherwise: beyond this machine, and where any channel that services send over is live.
 */
export function isRegistrationOpen({ notipy, server, channels }: Config): boolean {
  return (
    notipy.open_registration ??
    (isLoopback(server.host) && SERVICE_CHANNELS.every((channel) => channels[channel].mode === 'captured'))
  )
}

/** Whose events are meant. */
export function ownerOf(request: FastifyRequest): EventOwner {
  const { owner, principal } = serviceCalling(request)
  return { tenant: principal.tenant, owner }
}
