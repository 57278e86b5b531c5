import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Authenticator, Session } from '../../access/authenticate.ts'
import type { Engine } from '../../engine.ts'
import { DEFAULT_TENANT } from '../../access/principal.ts'
import { Fault, fault } from '../../errors.ts'
import { rfc3339 } from '../../wire/instant.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { isForeignPage } from '../origin.ts'

/** Nobody is known yet, and whoever is nobody gets little memory (security row 13). */
const LOGIN_BYTES = 16 * 1024

const Token = Type.Object(
  { token: Type.String(), expires_at: Type.String({ format: 'date-time' }), user: Type.String() },
  {
    description: 'For `Authorization: Bearer`; browsers of this origin get it as a cookie too',
    examples: [{ token: 'eyJhbGciOi…', expires_at: '2026-01-05T13:00:00.000Z', user: 'anna' }],
  },
)

const Done = Type.Object({ status: Type.Literal('ok') }, { description: 'Done' })

/** `/v1/login`, `/v1/logout` and `/v1/ticket` (contract section 3). */
export function sessions(app: App, engine: Engine, authenticator: Authenticator): void {
  const { cookie } = authenticator
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure: cookie.secure } as const

  const answer = (session: Session, request: FastifyRequest, reply: FastifyReply) => {
    const { public_url: publicUrl, allowed_origins: allowed } = engine.config.server
    // A foreign page gets the token it has the password for, but may not sign this browser in.
    if (!isForeignPage(request.headers, 'cookie', { publicUrl, allowed })) {
      // Relative, because the browser's clock need not agree with ours.
      const maxAge = Math.floor((session.expiresAt - engine.clock.now()) / 1000)
      void reply.setCookie(cookie.name, session.token, { ...attributes, maxAge })
    }
    return { token: session.token, expires_at: rfc3339(session.expiresAt), user: session.principal.id }
  }

  app.post(
    '/login',
    {
      config: { access: 'open', errors: ['auth.invalid', 'auth.too_many_attempts'] },
      bodyLimit: LOGIN_BYTES,
      schema: {
        summary: 'Sign in with a password or a one-time link',
        tags: ['session'],
        body: Type.Object(
          {
            user: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
            password: Type.Optional(Type.String({ maxLength: 1024 })),
            link: Type.Optional(Type.String({ maxLength: 200, description: 'What `/login#t=` carries' })),
          },
          {
            anyOf: [{ required: ['link'] }, { required: ['user', 'password'] }],
            examples: [{ user: 'anna', password: 'correct horse' }],
          },
        ),
        response: { 200: Token, ...FAILURES },
      },
    },
    async (request, reply) => {
      const { user, password, link } = request.body
      if (link !== undefined) {
        const session = await audited(engine, undefined, () => authenticator.redeemLoginLink(link))
        return answer(session, request, reply)
      }
      for (const [field, value] of Object.entries({ user, password })) {
        if (value === undefined) {
          throw fault('request.invalid', `body must have required property '${field}'`, { field, in: 'body' })
        }
      }
      const session = await audited(engine, user, () =>
        authenticator.login(user ?? '', password ?? '', request.ip),
      )
      return answer(session, request, reply)
    },
  )

  app.post(
    '/logout',
    {
      schema: {
        summary: 'End this session',
        tags: ['session'],
        response: { 200: Done, ...FAILURES },
      },
    },
    async (request, reply) => {
      await authenticator.logout({ headers: request.headers })
      void reply.clearCookie(cookie.name, attributes)
      return { status: 'ok' as const }
    },
  )

  app.post(
    '/ticket',
    {
      schema: {
        summary: 'A one-use ticket for `?ticket=` of a WebSocket or event stream',
        tags: ['session'],
        response: {
          200: Type.Object(
            { ticket: Type.String(), expires_at: Type.String({ format: 'date-time' }) },
            { description: 'Good once, for a minute' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { ticket, expiresAt } = authenticator.ticket(caller(request))
      return { ticket, expires_at: rfc3339(expiresAt) }
    },
  )
}

/**
 * Signs in, and writes down that it was done or tried. What was typed stands in the log only if it is somebody's id: it
 * may have been a password. Tries that were not even looked at are not counted twice.
 */
async function audited(
  { store, clock, directory }: Engine,
  tried: string | undefined,
  signIn: () => Promise<Session>,
): Promise<Session> {
  const entry = { at: clock.now(), via: 'http', subject: null, detail: {} }
  let session: Session
  try {
    session = await signIn()
  } catch (error) {
    if (error instanceof Fault && error.code === 'auth.invalid') {
      const person = tried === undefined ? undefined : directory.user(tried)
      const who = { tenant: person?.tenant ?? DEFAULT_TENANT, actor: person?.id ?? 'unknown' }
      await store.audit([{ ...entry, ...who, action: 'login.fail' }])
    }
    throw error
  }
  const { id: actor, tenant } = session.principal
  await store.audit([{ ...entry, tenant, actor, action: 'login.ok' }])
  return session
}
