import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifySchema } from 'fastify'
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
import { asyncApiDocument, type AsyncApiOptions, type TopicEntry } from './asyncapi.ts'

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
          '`{"error": {"code", "message", "details"}}`; every answer carries `X-Request-Id`.',
      },
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'A JWT of `/v1/login`, or the token of a client',
          },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The token of a client' },
          serviceId: { type: 'apiKey', in: 'header', name: 'X-Service-Id', description: 'Id of a client' },
          serviceToken: { type: 'apiKey', in: 'header', name: 'X-Service-Token', description: 'Its token' },
          session: { type: 'apiKey', in: 'cookie', name: 'carillon', description: 'Cookie of `/v1/login`' },
        },
      },
      security: [{ bearer: [] }, { apiKey: [] }, { serviceId: [], serviceToken: [] }, { session: [] }],
    },
    transform: ({ schema, url }) =>
      url.endsWith('/*') && schema?.params !== undefined ? openEnded(schema, url) : { schema, url },
    convertConstToEnum: false,
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `schema-${index}`,
    },
  })
}

/** OpenAPI has no name for the rest of a path: it becomes one parameter, and the raw body one of any kind. */
function openEnded(schema: FastifySchema, url: string) {
  const { properties } = schema.params as { readonly properties: Readonly<Record<string, unknown>> }
  return {
    schema: {
      ...schema,
      params: { type: 'object', properties: { topic: properties['*'] }, required: ['topic'] },
      body: { description: 'The payload' },
      consumes: ['application/json', 'text/plain', 'application/octet-stream'],
    },
    url: url.replace('*', ':topic'),
  }
}

/** `/docs`, `/openapi.json` and `/asyncapi.json` (contract section 1). */
export function documents(app: App, topics: readonly TopicEntry[], options: AsyncApiOptions): void {
  void app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { validatorUrl: null, deepLinking: true },
    theme: {
      title: 'Carillon HTTP API',
      css: [{ filename: 'carillon.css', content: '.swagger-ui .topbar { display: none }' }],
    },
  })
  const hidden = { schema: { hide: true } }
  app.get('/openapi.json', hidden, async () => app.swagger())
  const asyncApi = asyncApiDocument(topics, options)
  app.get('/asyncapi.json', hidden, async () => asyncApi)
}
