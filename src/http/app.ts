import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import Type from 'typebox'
import type { Identity } from '../access/authenticate.ts'
import type { ErrorCode } from '../errors.ts'

/** The HTTP server as its families of routes see it. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** Who may call a route. `any` is every principal, `operator` the roles admin and ops. */
export type Access = 'open' | 'any' | 'user' | 'operator'

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on open routes. */
    identity: Identity | null
    /** W3C trace context of the caller, if it sent a valid one. */
    traceparent: string | null
  }
  interface FastifyContextConfig {
    /** `any` when absent. */
    access?: Access
    /** What the caller shows: that of the own API when absent, a NotiPy service's, or what other alerting programs send. */
    proof?: 'principal' | 'service' | 'sender'
    /** What may come of it besides what its kind implies, for the OpenAPI document. */
    errors?: readonly ErrorCode[]
    /** The path holds a secret: the log has the route's pattern instead. */
    secretPath?: boolean
  }
}

export const ErrorSchema = Type.Object(
  {
    error: Type.Object({
      code: Type.String(),
      message: Type.String(),
      details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    }),
  },
  {
    $id: 'Error',
    examples: [
      {
        error: {
          code: 'request.invalid',
          message: 'querystring/limit must be integer',
          details: { field: 'limit', in: 'query' },
        },
      },
    ],
  },
)

/** What every route answers when it does not do what was asked; the OpenAPI document says which, see failure-responses.ts. */
export const FAILURES = {
  '4xx': Type.Ref('Error#', { description: 'Refused; `code` says why' }),
  '5xx': Type.Ref('Error#', { description: 'Failed; `code` says why' }),
} as const

/** A reference to a shared schema, described for the documentation. */
export function shared(id: string, description: string) {
  return Type.Ref(`${id}#`, { description })
}

/** `{items, next_cursor?}`: how lists of the own family answer (contract section 7). */
export function listOf(id: string, description: string) {
  return Type.Object(
    { items: Type.Array(Type.Ref(`${id}#`)), next_cursor: Type.Optional(Type.String()) },
    { description },
  )
}

/** Query of a paged list. */
export const pageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
  cursor: Type.Optional(Type.String({ maxLength: 512, description: '`next_cursor` of the page before' })),
}

const DAYS = '[0-9]{1,4}|[12][0-9]{4}|3[0-5][0-9]{3}|36[0-4][0-9]{2}|365[01][0-9]|3652[0-5]'
const WEEKS = '[0-9]{1,3}|[1-4][0-9]{3}|5[01][0-9]{2}|520[0-9]|521[0-7]'

/** A duration such as `30m`, as contract section 2 writes them; none that the pattern lets through is over a hundred years. */
export function DurationText(description: string) {
  return Type.String({
    pattern: `^([0-9]{1,12}ms|[0-9]{1,9}s|[0-9]{1,7}m|[0-9]{1,5}h|(${DAYS})d|(${WEEKS})w)$`,
    description,
    examples: ['30m'],
  })
}

/** `{id}` of a path. */
export const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) })
