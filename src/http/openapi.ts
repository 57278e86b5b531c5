import swagger from '@fastify/swagger'
import type { FastifySchema, RouteOptions } from 'fastify'
import { AlertSchema, TimelineEntrySchema } from '../wire/alert.ts'
import { DeadLetterSchema } from '../wire/dead-letter.ts'
import { BatchSchema } from '../wire/batch.ts'
import { DeliveryRecordSchema, DeliverySchema } from '../wire/delivery.ts'
import {
  CoreBanqNotificationSchema,
  NotificationSchema,
  XynapNotificationSchema,
} from '../wire/notification.ts'
import { OutboxItemSchema } from '../wire/outbox-item.ts'
import { ErrorSchema, type App } from './app.ts'
import { withFailures } from './failure-responses.ts'

const SHARED = [
  ErrorSchema,
  AlertSchema,
  TimelineEntrySchema,
  BatchSchema,
  DeliverySchema,
  DeliveryRecordSchema,
  NotificationSchema,
  CoreBanqNotificationSchema,
  XynapNotificationSchema,
  DeadLetterSchema,
  OutboxItemSchema,
]

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'A JWT of `/v1/login`, or the token of a client',
  },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The token of a client' },
  serviceId: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Service-Id',
    description: 'Id of a client or a registered service',
  },
  serviceToken: { type: 'apiKey', in: 'header', name: 'X-Service-Token', description: 'Its token' },
  session: { type: 'apiKey', in: 'cookie', name: 'carillon', description: 'Cookie of `/v1/login`' },
  ticket: { type: 'apiKey', in: 'query', name: 'ticket', description: 'Of `/v1/ticket`; opens one GET' },
  basic: { type: 'http', scheme: 'basic', description: 'The token of a client as the password' },
  genieKey: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: '`GenieKey` and the token of a client, as Opsgenie has it',
  },
  gotifyKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Gotify-Key',
    description: 'The token of a client, as Gotify has it',
  },
  twilioSignature: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Twilio-Signature',
    description: 'What Twilio makes of the URL, the form and the auth token',
  },
} as const

const SERVICE = { serviceId: [], serviceToken: [] }
const PRINCIPAL = [{ bearer: [] }, { apiKey: [] }, SERVICE, { session: [] }]

/** Collects the OpenAPI document. Must be registered before the routes it is to know. */
export function openApi(app: App, version: string): void {
  for (const schema of SHARED) app.addSchema(schema)
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Carillon',
        version,
        description:
          'Notifications that reach the right person, and alerts that wake somebody up. Errors are ' +
          '`{"error": {"code", "message", "details"}}`; every answer carries `X-Request-Id`. Every GET answers HEAD, too.',
      },
      components: { securitySchemes: SECURITY_SCHEMES },
      security: PRINCIPAL,
    },
    transform: ({ schema, url, route }) => shown(schema as FastifySchema | undefined, url, route),
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject
      const { openapiObject } = document
      for (const path of Object.values(openapiObject.paths ?? {})) relaxed(path ?? {})
      return openapiObject
    },
    convertConstToEnum: false,
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `schema-${index}`,
    },
  })
}

/** A route as its readers need it: every status, who may call, and what the answer is. */
function shown(given: FastifySchema | undefined, url: string, route: RouteOptions) {
  if (given === undefined || given.hide === true) return { schema: given ?? { hide: true }, url }
  const open = url.endsWith('/*') ? openEnded(given, url) : { schema: given, url }
  const secured = { security: securityOf(route), ...withFailures(open.schema, route) }
  return { schema: withMediaType({ operationId: operationId(route, open.url), ...secured }), url: open.url }
}

function securityOf({ method, config }: RouteOptions) {
  const { access = 'any', proof = 'principal' } = config ?? {}
  if (access === 'open') return []
  if (proof === 'service') return [SERVICE]
  if (proof === 'sender')
    return [...PRINCIPAL.slice(0, 3), { basic: [] }, { genieKey: [] }, { gotifyKey: [] }]
  return method === 'GET' ? [...PRINCIPAL, { ticket: [] }] : PRINCIPAL
}

/** `get_v1_alerts_id`, which is stable, and unique because method and path are. */
function operationId({ method }: RouteOptions, url: string): string {
  return `${String(method)}${url}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')
}

/** `produces` is about what went well; errors are JSON wherever they come from. */
function withMediaType(schema: FastifySchema): FastifySchema {
  const { produces, response, ...rest } = schema
  if (produces === undefined) return schema
  const responses = Object.entries((response ?? {}) as Readonly<Record<string, { description?: string }>>)
  const typed = responses.map(([status, body]) =>
    Number(status) >= 300
      ? [status, body]
      : [
          status,
          {
            description: body.description,
            content: Object.fromEntries(produces.map((type) => [type, { schema: body }])),
          },
        ],
  )
  return { ...rest, response: Object.fromEntries(typed) as unknown }
}

/** OpenAPI has no name for the rest of a path: it becomes one parameter, and the raw body one of any kind. */
function openEnded(schema: FastifySchema, url: string) {
  const { properties } = schema.params as { readonly properties: Readonly<Record<string, unknown>> }
  return {
    schema: {
      ...schema,
      params: { type: 'object', properties: { topic: properties['*'] }, required: ['topic'] },
      body: { description: 'The payload', examples: [{ message: 'Hello', title: 'New Message' }] },
      consumes: ['application/json', 'text/plain', 'application/octet-stream'],
    },
    url: url.replace('*', ':topic'),
  }
}

interface Operation {
  readonly parameters?: readonly { required?: boolean; readonly schema?: { readonly default?: unknown } }[]
  readonly requestBody?: {
    required?: boolean
    readonly content: Readonly<Record<string, { readonly schema?: unknown }>>
  }
}

/** What has a default may be left out, and so may a body of which nothing is required. */
function relaxed(path: object): void {
  for (const { parameters = [], requestBody: body } of Object.values(path) as Operation[]) {
    for (const parameter of parameters)
      if (parameter.schema?.default !== undefined) parameter.required = false
    if (body === undefined) continue
    const schemas = Object.values(body.content).map(({ schema }) => schema)
    for (const schema of schemas) withoutDefaulted(schema)
    body.required = schemas.some((schema) => !fitsNothing(schema))
  }
}

interface ObjectSchema {
  required?: string[]
  readonly properties?: Readonly<Record<string, { readonly default?: unknown }>>
}

function withoutDefaulted(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return
  const object = schema as ObjectSchema
  const { required, properties = {} } = object
  if (Array.isArray(required)) {
    const left = required.filter((name) => properties[name]?.default === undefined)
    if (left.length > 0) object.required = left
    else delete object.required
  }
  for (const below of Object.values(schema)) withoutDefaulted(below)
}

function fitsNothing(schema: unknown): boolean {
  const {
    type,
    required = [],
    anyOf = [],
  } = (schema ?? {}) as {
    readonly type?: unknown
    readonly required?: readonly string[]
    readonly anyOf?: readonly unknown[]
  }
  return (type === 'object' || type === undefined) && required.length === 0 && anyOf.length === 0
}
