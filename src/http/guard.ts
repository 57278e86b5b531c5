import type { FastifyRequest } from 'fastify'
import type { Authenticator, Identity } from '../access/authenticate.ts'
import { isOperator, type Principal } from '../access/principal.ts'
import type { Config } from '../config/schema/schema.ts'
import { fault } from '../errors.ts'
import type { Access } from './app.ts'
import { isForeignPage } from './origin.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Finds out who calls and whether the route is open to them, before any of the body is read. Sets
 * `request.identity`. Throws `auth.missing`, `auth.invalid`, `auth.expired` or `auth.forbidden`.
 */
export function guard(authenticator: Authenticator, config: () => Pick<Config, 'server'>) {
  return async (request: FastifyRequest): Promise<void> => {
    const access = request.routeOptions.config.access ?? 'any'
    if (access === 'open' || request.method === 'OPTIONS') return
    const identity = await authenticator.http({
      headers: request.headers,
      // A ticket opens a stream; it stands in a URL and therefore changes nothing.
      ticket: SAFE.has(request.method) ? ticketOf(request) : undefined,
    })
    if (identity === null) throw fault('auth.missing')
    request.identity = identity
    demand(access, identity.principal)
    if (!mayComeFromForeignPages(identity, SAFE.has(request.method))) return
    const { public_url: publicUrl, allowed_origins: allowed } = config().server
    if (isForeignPage(request.headers, identity.via, { publicUrl, allowed })) {
      throw fault('auth.forbidden', 'This request came from a page of another origin')
    }
  }
}

/** The caller of a route that is not open. */
export function caller(request: FastifyRequest): Principal {
  if (request.identity === null) throw fault('auth.missing')
  return request.identity.principal
}

function demand(access: Access, principal: Principal): void {
  if (access === 'user' && principal.kind !== 'user') {
    throw fault('auth.forbidden', 'This is for people only; the caller is a client')
  }
  if (access === 'operator' && !isOperator(principal)) throw fault('auth.forbidden')
}

/**
 * A browser adds a cookie to whatever a page sends, but lets a foreign page read nothing that came with it. Where
 * nobody needs a proof, a foreign page could read as well.
 */
function mayComeFromForeignPages({ via }: Identity, readsOnly: boolean): boolean {
  return via === 'anonymous' || (via === 'cookie' && !readsOnly)
}

function ticketOf(request: FastifyRequest): string | undefined {
  const { ticket } = request.query as { readonly ticket?: unknown }
  return typeof ticket === 'string' ? ticket : undefined
}
