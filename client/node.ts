import { answerOf, CarillonError } from './requests.ts'

export { CarillonError } from './requests.ts'

/** Where to, and as whom. `CARILLON_URL` and `CARILLON_TOKEN` of the environment unless given. */
export interface Target {
  readonly url?: string
  readonly token?: string
  /**
   * Names what is sent: a repeat under the same key within 24 hours is done once [P3]. One is made unless given, so that
   * the tries of one call count once.
   */
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
}

export interface Published {
  readonly id: string
  readonly result: Readonly<Record<string, unknown>>
}

export interface NotificationDraft {
  readonly title: string
  readonly body: string
  readonly category?: string
  readonly severity?: 'info' | 'success' | 'warning' | 'error'
  readonly icon?: string
  readonly entity_type?: string
  readonly entity_id?: string
  readonly action_url?: string
  readonly data?: Readonly<Record<string, unknown>>
}

/** Tries in all, for what a try may have failed by chance. */
const TRIES = 5
const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 10_000
/** No answer by then counts as none. */
const ANSWER_MS = 15_000
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

/** Publishes JSON to a topic; resolves once it is stored. Rejects with a `CarillonError`. */
export function publish(topic: string, payload: unknown, target: Target = {}): Promise<Published> {
  return post(`/v1/publish/${topic.split('/').map(encodeURIComponent).join('/')}`, payload, target)
}

/** Puts a notification into a person's inbox and tells them at once (X16); resolves with it. */
export function createNotification(
  notification: NotificationDraft & { readonly user_id: string },
  target: Target = {},
): Promise<Readonly<Record<string, unknown>>> {
  return post('/api/v1/notifications', notification, target)
}

/** One notification for each administrator of a tenant (X17). */
export function notifyTenantAdmins(
  { tenant_id: tenant, ...notification }: NotificationDraft & { readonly tenant_id: string },
  target: Target = {},
): Promise<{ readonly notifications: readonly Readonly<Record<string, unknown>>[] }> {
  return post(`/api/v1/tenants/${encodeURIComponent(tenant)}/admins/notify`, notification, target)
}

/** Emits a domain event (X18): to the streams of `data.user_id`, or of everybody; to rules; to webhooks. */
export function emitEvent(
  type: string,
  data: Readonly<Record<string, unknown>>,
  options: Target & { readonly source?: string } = {},
): Promise<Published> {
  const { source, ...target } = options
  return post('/api/v1/events/emit', { type, data, ...(source !== undefined && { source }) }, target)
}

/** Tries again only under one idempotency key, so that what was stored although no answer came is not stored twice. */
async function post<Body>(path: string, body: unknown, target: Target): Promise<Body> {
  const { CARILLON_URL, CARILLON_TOKEN } = environment()
  const url = (target.url ?? CARILLON_URL ?? 'http://localhost:8080').replace(/\/+$/, '')
  const token = target.token ?? CARILLON_TOKEN
  const headers = {
    'content-type': 'application/json',
    'idempotency-key': target.idempotencyKey ?? crypto.randomUUID(),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
  for (let attempt = 1; ; attempt += 1) {
    const late = AbortSignal.timeout(ANSWER_MS)
    const signal = target.signal ? AbortSignal.any([late, target.signal]) : late
    let waitMs = Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1))
    try {
      const response = await fetch(url + path, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        signal,
      })
      if (!PASSING.has(response.status) || attempt === TRIES) return (await answerOf(response)) as Body
      const asked = Number(response.headers.get('retry-after')) * 1000
      if (asked > 0) waitMs = Math.min(LONGEST_WAIT_MS, asked + waitMs)
      await response.body?.cancel()
    } catch (error) {
      if (error instanceof CarillonError) throw error
      target.signal?.throwIfAborted()
      if (attempt === TRIES)
        throw new CarillonError(0, 'network', error instanceof Error ? error.message : String(error))
    }
    await pause(waitMs, target.signal)
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** Not `process` itself: the types of this file must hold without those of Node. */
function environment(): Readonly<Record<string, string | undefined>> {
  const { process } = globalThis as unknown as {
    readonly process?: { readonly env: Readonly<Record<string, string | undefined>> }
  }
  return process?.env ?? {}
}
