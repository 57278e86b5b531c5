import swaggerUi from '@fastify/swagger-ui'
import Type from 'typebox'
import type { App } from './app.ts'
import { asyncApiDocument, type AsyncApiOptions, type TopicEntry } from './asyncapi.ts'

const tags = ['documents']
const config = { access: 'open' } as const
const document = (description: string) => Type.Object({}, { additionalProperties: true, description })

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
  app.get(
    '/openapi.json',
    {
      config,
      schema: {
        summary: 'This document',
        tags,
        response: { 200: document('OpenAPI 3.1; `/docs` shows it as a page') },
      },
    },
    async () => app.swagger() as object,
  )
  const asyncApi = asyncApiDocument(topics, options)
  app.get(
    '/asyncapi.json',
    {
      config,
      schema: {
        summary: 'The topics to publish to and to subscribe to, and the frames of streams',
        tags,
        response: { 200: document('AsyncAPI 3.1') },
      },
    },
    async () => asyncApi,
  )
}
