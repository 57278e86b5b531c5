import { allowanceOf, checkUrl, type Allowance } from '../outgoing/address-guard.ts'

/** Where the list of further ones stands in the configuration. */
export const PUSH_SERVICES = 'channels.web_push.allow'

/** The push services of Chrome, Firefox, Edge and Safari (security row 23). */
const SERVICES: readonly (readonly [name: string, host: RegExp])[] = [
  ['google', /^fcm\.googleapis\.com$/],
  ['mozilla', /^[a-z0-9.-]+\.push\.services\.mozilla\.com$/],
  ['microsoft', /^[a-z0-9.-]+\.notify\.windows\.com$/],
  ['apple', /^[a-z0-9.-]+\.push\.apple\.com$/],
]

/** Whose push service an endpoint is of, in one word; `others` for all that only the configuration allows. */
export function serviceOf(endpoint: string): string {
  const { hostname } = new URL(endpoint)
  return SERVICES.find(([, host]) => host.test(hostname))?.[0] ?? 'others'
}

/** The hosts, addresses and networks that subscriptions may name beside the known push services. */
export function pushAllowance(allow: readonly string[]): Allowance {
  return allowanceOf(allow, PUSH_SERVICES)
}

/**
 * Null when a subscription's endpoint may be sent to, else why not: it has to be of a push service, or allowed by
 * `channels.web_push.allow` (security row 23). Says nothing about what the host resolves to, which is checked when it
 * is called. The reason never quotes the URL, which is the subscriber's secret.
 */
export function endpointFault(endpoint: string, allowance: Allowance): string | null {
  if (endpoint.length > 2048 || !URL.canParse(endpoint)) return 'expected an https:// URL'
  const url = new URL(endpoint)
  const verdict = checkUrl(url, allowance)
  if (!verdict.ok) return verdict.because
  // What the operator allowed asks for nothing more.
  if (verdict.demand === 'none' || SERVICES.some(([, host]) => host.test(url.hostname))) return null
  return `the host is no known push service; ${allowance.setting} can make an exception`
}
