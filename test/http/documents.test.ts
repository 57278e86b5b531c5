import asyncApiSpecs from '@asyncapi/specs'
import { Ajv, type AnySchema } from 'ajv'
import { expect } from 'chai'
import { asyncApiDocument } from '../../src/http/asyncapi.ts'
import type { Streams } from '../../src/live/stream/streams.ts'
import type { NotiPy } from '../../src/notipy/notipy.ts'
import type { PreviewDeps } from '../../src/template/preview.ts'
import { alertRow, deadLetterRow, deliveryRow, notificationRow, outboxRow } from '../support/fake-engine.ts'
import { httpHarness, TOPICS, type HttpHarness } from '../support/http-harness.ts'

interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses?: Readonly<
    Record<string, { description?: string; content?: Record<string, { schema: AnySchema }> }>
  >
}
interface OpenApi {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, AnySchema & { examples?: unknown[] }>> }
}

describe('the OpenAPI document', () => {
  let h: HttpHarness
  let document: OpenApi
  before(async () => {
    // Only described here, never called.
    const uncalled = {} as NotiPy & PreviewDeps & Streams
    h = await httpHarness({ options: { notiPy: uncalled, preview: uncalled, streams: uncalled } })
    document = (await h.app.inject('/openapi.json')).json()
  })
  after(() => h.close())

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )

  it('is OpenAPI 3.1 and knows every route (contract section 1)', () => {
    expect(document.openapi).to.equal('3.1.0')
    const known = operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`)
    expect(known).to.include.members([
      'GET /healthz',
      'GET /readyz',
      'GET /metrics',
      'POST /v1/login',
      'POST /v1/logout',
      'POST /v1/ticket',
      'POST /v1/publish/{topic}',
      'POST /v1/templates/preview',
      'POST /api/v1/register',
      'GET /api/v1/notifications/{notification_id}',
      'GET /v1/notifications',
      'GET /v1/notifications/{id}',
      'PATCH /v1/notifications/{id}/read',
      'DELETE /v1/notifications/{id}',
      'GET /v1/alerts',
      'GET /v1/alerts/{id}',
      'POST /v1/alerts/{id}/ack',
      'GET /v1/oncall',
      'GET /v1/oncall/{team}',
      'GET /v1/teams',
      'GET /v1/deliveries',
      'POST /v1/deliveries/{id}/resend',
      'GET /v1/dead-letters',
      'POST /v1/dead-letters/{id}/replay',
      'GET /v1/outbox',
      'DELETE /v1/outbox',
      'POST /v1/outbox/{id}/reply',
      'GET /v1/outbox/chaos',
      'PUT /v1/outbox/chaos',
      'GET /v1/users/me',
      'GET /v1/users/me/contacts',
      'POST /v1/users/me/contacts',
      'POST /v1/users/me/contacts/{id}/verify',
      'POST /v1/users/me/contacts/{id}/code',
      'DELETE /v1/users/me/contacts/{id}',
      'GET /v1/opt-outs',
      'DELETE /v1/opt-outs/{id}',
    ])
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
        expect(status, name).to.match(/^([2-5]\d\d|[45]XX)$/)
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
      const key = answer.statusCode < 400 ? String(answer.statusCode) : `${String(answer.statusCode)[0]}XX`
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

  it('is valid AsyncAPI 3.0 by the official schema (contract section 1)', async () => {
    const h = await httpHarness()
    const document = (await h.app.inject('/asyncapi.json')).json()
    await h.close()
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
    const validate = ajv.compile(asyncApiSpecs.schemasWithoutId['3.0.0'] as AnySchema)
    expect(validate(document), ajv.errorsText(validate.errors)).to.equal(true)
    expect(validate({ ...document, operations: { x: { action: 'shout' } } })).to.equal(false)
  })

  it('has a channel, an operation and a message for every topic', () => {
    const document = asyncApiDocument(TOPICS, options)
    expect(Object.keys(document.channels)).to.deep.equal([
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

function validator(document: OpenApi): Ajv {
  const ajv = new Ajv({ strict: false, validateFormats: false })
  ajv.addSchema(document as unknown as AnySchema, '')
  return ajv
}
