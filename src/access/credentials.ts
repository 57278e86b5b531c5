import type { IncomingHttpHeaders } from 'node:http'
import { fault } from '../errors.ts'

/** The token of `Authorization: Bearer`, if there is one. Throws `auth.invalid` for another scheme. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  if (headers.authorization === undefined) return undefined
  const token = /^Bearer +(\S+) *$/i.exec(headers.authorization)?.[1]
  if (token === undefined) throw fault('auth.invalid', 'Authorization must be `Bearer <token>`')
  return token
}

/** A header that came more than once says nothing certain. */
export function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Whether it is worth asking if this is a JWT. */
export function looksLikeJwt(text: string): boolean {
  return text.startsWith('eyJ') && text.split('.', 4).length === 3
}

/** One value of a `Cookie` header. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const at = part.indexOf('=')
    if (at !== -1 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}
