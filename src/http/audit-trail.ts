import type { FastifyRequest } from 'fastify'
import type { Engine } from '../engine.ts'
import type { App } from './app.ts'

/**
 * What writes its own entries, in the commit that it causes, and what changes nothing: publishes and what comes through
 * their door, commands on alerts, log-ins, reloads, previews.
 */
const APART =
  /^\/v1\/(publish|login|ticket|callbacks|explain|simulate|config\/reload|templates\/|notifications\/(trigger|sse)|alerts\/:id\/)|^\/api\/v1\/(events\/emit|tenants\/|notifications$)/

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'change',
  PATCH: 'change',
  DELETE: 'remove',
}

/**
 * Puts every successful change over `/v1`, and of an inbox over `/api/v1`, into the audit log before it is answered
 * (security row 30): a crash between the change and its entry loses the entry. The action is made of the path, such as
 * `deliveries.resend` or `users.me.devices.create`, so that no route can be forgotten; bodies are left out, for they hold
 * addresses and texts, but for what says whom a silence or a changed duty is about.
 */
export function auditTrail(v1: App, engine: Pick<Engine, 'store' | 'clock' | 'log'>): void {
  v1.addHook('onSend', async (request, reply, payload) => {
    const { identity } = request
    const route = request.routeOptions.url ?? ''
    const action = actionOf(request.method, route)
    if (action === null || APART.test(route) || identity === null) return
    // A preview.
    if (route === '/v1/silences' && reply.statusCode !== 201) return
    if (reply.statusCode < 200 || reply.statusCode >= 300) return
    const { id: actor, tenant } = identity.principal
    const subject = subjectOf(request, reply.statusCode === 201 ? idIn(payload) : null)
    const at = engine.clock.now()
    try {
      await engine.store.audit([
        { tenant, at, actor, via: 'http', action, subject, detail: detailOf(route, request.body) },
      ])
    } catch (error) {
      // It has happened: an answer that says otherwise would be repeated.
      engine.log.error({ err: error, action, actor, subject }, 'an entry of the audit log was lost')
    }
  })
}

/**
 * `POST /v1/deliveries/:id/resend` is `deliveries.resend`: a word behind a parameter says what is done; elsewhere the
 * method does. Null for what only reads.
 */
export function actionOf(method: string, route: string): string | null {
  const verb = VERBS[method]
  if (verb === undefined) return null
  const parts = route.replace(/^(?:\/api)?\/v1\//, '').split('/')
  const words = parts.filter((part) => !part.startsWith(':'))
  const named = parts.at(-2)?.startsWith(':') === true && parts.at(-1)?.startsWith(':') === false
  const removes = method === 'DELETE'
  return [...words, ...(named && !removes ? [] : [verb])].join('.')
}

/** The parameters of the path, and the id of what was made. */
function subjectOf(request: FastifyRequest, made: string | null): string | null {
  const params = Object.values(request.params as Readonly<Record<string, string>>)
  const parts = made === null ? params : [...params, made]
  return parts.length === 0 ? null : parts.join('/')
}

/** Fields that hold neither addresses nor texts. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  '/v1/silences': ['match', 'until'],
  '/v1/oncall/:team/overrides': ['user', 'from', 'to', 'kind', 'replaces'],
  '/v1/oncall/:team/temporary': ['from', 'to', 'shifts'],
}

function detailOf(route: string, body: unknown): Readonly<Record<string, unknown>> {
  const told = TOLD[route]
  if (told === undefined || typeof body !== 'object' || body === null) return {}
  return Object.fromEntries(Object.entries(body).filter(([key]) => told.includes(key)))
}

function idIn(payload: unknown): string | null {
  if (typeof payload !== 'string') return null
  try {
    const { id } = JSON.parse(payload) as { readonly id?: unknown }
    return typeof id === 'string' ? id : null
  } catch {
    return null
  }
}
