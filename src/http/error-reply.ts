import type { Socket } from 'node:net'
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ERRORS, Fault, fault } from '../errors.ts'
import type { Metrics } from '../metrics.ts'

/** The one shape of every error (contract section 7). */
export interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly details?: Readonly<Record<string, unknown>>
  }
}

/** Seconds a caller is told to wait where the fault does not know it better. */
const DEFAULT_RETRY_S = 1

/**
 * The fault that stands for whatever was thrown. Nothing of an unexpected error goes out but that there was one: its
 * message may hold a secret and its stack tells how we are built.
 */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error
  const known = error as Partial<FastifyError>
  if (known.validation) return invalid(known as FastifyError)
  const status = known.statusCode ?? 500
  if (status === 413) return fault('request.too_large')
  if (status === 404) return fault('request.not_found')
  if (status >= 400 && status < 500) return fault('request.invalid', known.message)
  if (status === 503) return fault('server.stopping')
  return fault('server.internal')
}

/** Answers with the error. Logs what was not expected, and counts refusals. */
export function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  metrics: Metrics,
): FastifyReply {
  const known = faultOf(error)
  const { http } = ERRORS[known.code]
  if (http === 500) request.log.error({ err: error }, 'request failed')
  if (http === 401 || http === 403 || http === 429) metrics.refusals.inc({ reason: known.code })
  if (http === 401) void reply.header('www-authenticate', 'Bearer')
  if (http === 429 || http === 503) void reply.header('retry-after', String(retryAfterSeconds(known)))
  // A media type that is not ours is the one case whose status tells more than the code.
  const status = (error as Partial<FastifyError>).statusCode === 415 ? 415 : http
  return reply.code(status).type('application/json; charset=utf-8').send(errorBody(known))
}

/** For what never became a request: a header too long, a line that is no HTTP, a sender that is too slow. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy()
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
  const body = JSON.stringify(errorBody(fault('request.invalid', STATUS_CODES[status])))
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

function errorBody({ code, message, details }: Fault): ErrorBody {
  const { retry_after_ms: _, ...rest } = details ?? {}
  return { error: { code, message, ...(Object.keys(rest).length > 0 && { details: rest }) } }
}

function retryAfterSeconds({ details, retryAfterMs }: Fault): number {
  const ms = retryAfterMs ?? details?.['retry_after_ms']
  return typeof ms === 'number' ? Math.max(1, Math.ceil(ms / 1000)) : DEFAULT_RETRY_S
}

const PLACES: Readonly<Record<string, string>> = { querystring: 'query', params: 'path', headers: 'header' }

function invalid(error: FastifyError): Fault {
  const [first] = error.validation ?? []
  const missing = first?.params['missingProperty']
  const path = [
    ...(first?.instancePath ?? '').split('/').slice(1),
    ...(typeof missing === 'string' ? [missing] : []),
  ]
  const place = error.validationContext ?? 'body'
  return fault('request.invalid', sentence(error, place), {
    field: path.join('.'),
    in: PLACES[place] ?? place,
  })
}

/** The validator tells every alternative of a choice that failed; whoever reads it wants to know what there is. */
function sentence({ message, validation = [] }: FastifyError, place: string): string {
  const [first, ...others] = validation
  if (first === undefined) return message
  const at = `${place}${first.instancePath}`
  const chosen = [first, ...others].filter(
    ({ keyword, instancePath }) => keyword === 'const' && instancePath === first.instancePath,
  )
  const allowed = first.keyword === 'enum' ? first.params['allowedValues'] : null
  if (Array.isArray(allowed)) return `${at} must be one of ${allowed.join(', ')}`
  if (first.keyword === 'const' && chosen.length > 1)
    return `${at} must be one of ${chosen.map(({ params }) => String(params['allowedValue'])).join(', ')}`
  return others.some(({ keyword }) => keyword === 'anyOf') ? `${at} ${first.message}` : message
}
