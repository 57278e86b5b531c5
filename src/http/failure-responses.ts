import type { FastifySchema, RouteOptions } from 'fastify'
import { ERRORS, type ErrorCode } from '../errors.ts'
import { shared } from './app.ts'

/** What every route may answer that is not well. */
const ALWAYS = ['store.unavailable', 'store.busy', 'server.stopping', 'server.internal'] as const

/**
 * The failures of a route as the OpenAPI document shows them, by status: those that follow from its kind and those that
 * `config.errors` names, in place of the general `4xx` and `5xx`. A route without these has none. Pure.
 */
export function withFailures(schema: FastifySchema, route: Pick<RouteOptions, 'method' | 'config'>) {
  const given = (schema.response ?? {}) as Readonly<Record<string, unknown>>
  if (!('4xx' in given)) return schema
  const { '4xx': _refused, '5xx': _failed, ...own } = given
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codesOf(schema, route)) {
    const { http } = ERRORS[code]
    byStatus.set(http, [...(byStatus.get(http) ?? []), code])
  }
  const failures = [...byStatus].map(([status, codes]) => [status, response(codes)] as const)
  const mediaType = takesBody(route)
    ? { 415: shared('Error', '`request.invalid`: no media type of this route') }
    : {}
  return { ...schema, response: { ...Object.fromEntries(failures), ...mediaType, ...own } }
}

function response(codes: readonly ErrorCode[]) {
  const lines = codes.map((code) => `\`${code}\`: ${ERRORS[code].what}`)
  const examples = codes.map((code) => [code, { value: { error: { code, message: ERRORS[code].what } } }])
  return { ...shared('Error', lines.join('; ')), 'x-examples': Object.fromEntries(examples) }
}

function codesOf(
  schema: FastifySchema,
  route: Pick<RouteOptions, 'method' | 'config'>,
): ReadonlySet<ErrorCode> {
  const { errors = [], failure } = route.config ?? {}
  const hasInput = schema.params ?? schema.querystring ?? schema.headers ?? schema.body
  return new Set<ErrorCode>([
    ...proofCodes(route),
    ...(hasInput !== undefined || takesBody(route) ? (['request.invalid'] as const) : []),
    ...(schema.params === undefined ? [] : (['request.not_found'] as const)),
    ...(takesBody(route) ? (['request.too_large'] as const) : []),
    ...errors,
    ...ALWAYS,
    ...(failure === undefined ? [] : [failure]),
  ])
}

function proofCodes({ config }: Pick<RouteOptions, 'config'>): readonly ErrorCode[] {
  const { access = 'any', proof = 'principal', failure } = config ?? {}
  if (access === 'open') return []
  if (proof === 'service') return ['notipy.unknown_service']
  if (failure !== undefined) return ['notifications_m.invalid_user_id', 'auth.forbidden']
  return ['auth.missing', 'auth.invalid', 'auth.expired', 'auth.forbidden']
}

function takesBody({ method }: Pick<RouteOptions, 'method'>): boolean {
  return [method].flat().some((name) => name !== 'GET' && name !== 'HEAD')
}
