import type { Surroundings } from './surroundings.ts'

/** What the server refused, in its own words. */
export class CarillonError extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  /** Such as `auth.expired`; `network` when no answer came. */
  readonly code: string
  readonly details: unknown

  constructor(status: number, code: string, message: string, details?: unknown) {
    super(message)
    this.name = 'CarillonError'
    this.status = status
    this.code = code
    this.details = details
  }
}

/** Where the credentials come from. Without both, the browser's session cookie counts. */
export interface Credentials {
  readonly token?: string
  /** Asked when a token is needed, and again after one was refused. */
  readonly getToken?: () => string | Promise<string>
}

/** Requests in the name of one person. */
export interface Requests {
  readonly url: string
  /** The answer's JSON. Rejects with {@link CarillonError}. */
  json<Body>(method: string, path: string, body?: unknown): Promise<Body>
  /** The answer as it is, whatever its status; asks for a new token once after a 401. */
  raw(path: string, options?: RequestInit): Promise<Response>
  /** What a WebSocket adds to its URL; null where the cookie speaks. */
  ticket(): Promise<string | null>
  /** From now on the token of this login counts. Rejects with {@link CarillonError}. */
  signIn(user: string, password: string): Promise<void>
  /** From now on nothing is sent and nobody is asked for a token, until `signIn`. */
  signedOut(): void
  /** Names the person without giving the token away; for what tabs of one person share. */
  identity(): Promise<string>
}

export function createRequests(
  base: string,
  { token, getToken }: Credentials,
  { fetch }: Pick<Surroundings, 'fetch'>,
): Requests {
  const page = (globalThis as { readonly location?: { readonly origin: string } }).location
  const url = (base === '' ? (page?.origin ?? '') : new URL(base, page?.origin).href).replace(/\/+$/, '')
  let held = token
  let out = false
  const tokenNow = async (anew: boolean): Promise<string | undefined> => {
    if (getToken && !out && (held === undefined || anew)) held = await getToken()
    return held
  }
  const send = async (path: string, options: RequestInit, anew: boolean): Promise<Response> => {
    const bearer = await tokenNow(anew)
    const headers = new Headers(options.headers)
    if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`)
    try {
      // With a token the cookie of somebody else must not come along.
      const credentials = bearer === undefined ? 'include' : 'omit'
      return await fetch(url + path, { ...options, headers, credentials })
    } catch (error) {
      throw new CarillonError(0, 'network', error instanceof Error ? error.message : String(error))
    }
  }
  const raw = async (path: string, options: RequestInit = {}): Promise<Response> => {
    // The cookie of this browser may be somebody else's by now.
    if (out) throw new CarillonError(401, 'auth.missing', 'Nobody is signed in here any more; call login')
    const response = await send(path, options, false)
    return response.status === 401 && getToken ? send(path, options, true) : response
  }
  const json = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
    const response = await raw(path, requestOf(method, body))
    // The server answers in the shape that its OpenAPI document gives the path.
    return (await answerOf(response)) as Body
  }
  return {
    url,
    json,
    raw,
    async ticket() {
      if ((await tokenNow(false)) === undefined) return null
      return (await json<{ ticket: string }>('POST', '/v1/ticket')).ticket
    },
    async signIn(user, password) {
      const response = await send('/v1/login', requestOf('POST', { user, password }), false)
      ;({ token: held } = (await answerOf(response)) as { readonly token: string })
      out = false
    },
    signedOut() {
      held = undefined
      out = true
    },
    async identity() {
      const bearer = await tokenNow(false)
      return bearer === undefined ? 'cookie' : (subjectOf(bearer) ?? digestOf(bearer))
    },
  }
}

function requestOf(method: string, body: unknown): RequestInit {
  if (body === undefined) return { method }
  return { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

/** The JSON of a success; throws a {@link CarillonError} for everything else. */
export async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text()
  let body: unknown = null
  try {
    body = text === '' ? null : JSON.parse(text)
  } catch {
    // A proxy answered in its own words.
  }
  if (response.ok) return body
  const { error } = (body ?? {}) as {
    readonly error?: { readonly code?: string; readonly message?: string; readonly details?: unknown }
  }
  throw new CarillonError(
    response.status,
    error?.code ?? 'http',
    error?.message ?? `The server answered ${response.status}`,
    error?.details,
  )
}

/** `sub` of a JWT; tabs of one person share a connection although each has a token of its own. */
function subjectOf(token: string): string | null {
  const [, claims] = token.split('.')
  if (claims === undefined) return null
  try {
    const { sub } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as { sub?: unknown }
    return typeof sub === 'string' ? `user ${sub}` : null
  } catch {
    return null
  }
}

/** FNV-1a: tells tokens apart, and does not lead back to them. */
function digestOf(token: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < token.length; at += 1) hash = Math.imul(hash ^ token.charCodeAt(at), 0x01000193)
  return `token ${(hash >>> 0).toString(16)}`
}
