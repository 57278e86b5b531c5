import type { IncomingHttpHeaders } from 'node:http'
import type { Identity } from '../access/authenticate.ts'

const LOOPBACK_NAMES = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/

/**
 * Whether a request that changes something comes from a page of somebody else (security row 32). Only asked where
 * the browser proves the person by itself, or where no proof is needed. A program that is no browser sends neither
 * `Origin` nor `Sec-Fetch-Site` and passes.
 */
export function isForeignPage(
  headers: IncomingHttpHeaders,
  via: Identity['via'] | null,
  own: { readonly publicUrl: string | undefined; readonly allowed: readonly string[] },
): boolean {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  if (origin === undefined) return site === 'cross-site' || site === 'same-site'
  if (own.allowed.includes(origin)) return false
  if (
    own.publicUrl !== undefined &&
    URL.canParse(own.publicUrl) &&
    new URL(own.publicUrl).origin === origin
  ) {
    return false
  }
  const host = URL.canParse(origin) ? new URL(origin).host : null
  if (host !== null && host === headers.host) {
    // Without a cookie, a name that its owner has pointed at this machine would be as good as ours.
    return via !== 'cookie' && !LOOPBACK_NAMES.test(host)
  }
  return via !== 'cookie' || site !== 'same-origin'
}

/** Whether the request names this machine itself as its host. */
export function namesLoopback(headers: IncomingHttpHeaders): boolean {
  return LOOPBACK_NAMES.test(headers.host ?? '')
}
