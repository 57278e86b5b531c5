import { expect } from 'chai'
import { curl, hasCurl } from '../support/curl.ts'
import {
  COREBANQ_EXAMPLES,
  NAMED,
  NOTIPY,
  ROUTEMQ,
  XYNAP,
  type DocumentExample,
} from '../support/document-examples.ts'
import { HttpApi } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'

const CONFIG = `
server: { dev_endpoints: true }
tenants: { default: {}, "${NAMED.xynapTenant}": { admins: ["${NAMED.xynapUser}"] } }
users:
  "${NAMED.coreBanqUser}": { password: person-password, customers: ["${NAMED.customer}"] }
  "${NAMED.xynapUser}": { password: person-password, tenant: "${NAMED.xynapTenant}" }
  ${NAMED.routeMqUser}: { password: person-password }
  ada: { password: person-password, roles: [admin], email: ada@example.org }
customers:
  "${NAMED.customer}": { name: Mustermann GmbH }
clients:
  bank: { token: bank-token, publish: ["notifications/#", "alerts/#"] }
  shop: { token: shop-token, publish: ["notifications/#", "events/#"], tenant: "${NAMED.xynapTenant}" }
`

/** Each example is what its document prints, sent by curl as a reader of the document would send it. */
describe('The examples of the requirement documents', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  before(async function () {
    if (!hasCurl) this.skip()
    program = await installation.start()
  })
  after(() => installation.remove())

  const families: readonly {
    readonly name: string
    readonly examples: readonly DocumentExample[]
    readonly person: string
    /** How the document's machines show who they are. */
    readonly backend: Readonly<Record<string, string>>
  }[] = [
    {
      name: 'xynap',
      examples: XYNAP,
      person: NAMED.xynapUser,
      backend: { Authorization: 'Bearer shop-token' },
    },
    {
      name: 'CoreBanq',
      examples: COREBANQ_EXAMPLES,
      person: NAMED.coreBanqUser,
      backend: { 'X-API-Key': 'bank-token' },
    },
    { name: 'NotiPy', examples: NOTIPY, person: NAMED.routeMqUser, backend: {} },
    {
      name: 'RouteMQ',
      examples: ROUTEMQ,
      person: NAMED.routeMqUser,
      backend: { Authorization: 'Bearer bank-token' },
    },
  ]
  for (const { name, examples, person, backend } of families) {
    describe(`of ${name}`, () => {
      const kept = new Map<string, string>()
      let authorization = ''
      before(async () => {
        authorization = `Bearer ${(await HttpApi.login(() => program, person, 'person-password')).token}`
      })

      const credentials = (who: DocumentExample['as']): Readonly<Record<string, string>> => {
        if (who === 'person') return { Authorization: authorization }
        if (who === 'backend') return backend
        if (who === 'nobody') return {}
        return {
          'X-Service-Id': kept.get('service_id') ?? '',
          'X-Service-Token': kept.get('service_token') ?? '',
        }
      }
      for (const example of examples) {
        it(`answer ${example.title} with the names it has there`, async () => {
          const path = example.path.replaceAll(/\{(\w+)\}/g, (_, key: string) => kept.get(key) ?? '')
          const answer = await curl({
            method: example.method,
            url: program.url + path,
            headers: { ...credentials(example.as), ...example.headers },
            ...(example.body !== undefined && { body: example.body }),
          })
          expect(answer.status, answer.text).to.equal(example.status)
          const body = JSON.parse(answer.text) as unknown
          for (const field of example.fields) expect(at(body, field), field).to.not.equal(undefined)
          for (const [field, value] of Object.entries(example.says ?? {}))
            expect(at(body, field), field).to.deep.equal(value)
          for (const [key, field] of Object.entries(example.keep ?? {}))
            kept.set(key, String(at(body, field)))
          if (name === 'NotiPy' && path.startsWith('/api/'))
            expect(answer.headers['x-process-time']).to.match(/^\d+\.\d+$/)
        })
      }
    })
  }

  // Behind the families: tests that stand in no group of their own run before all groups.
  describe('of a stream', () => {
    it('reach curl with the headers of the CoreBanq document, frame for frame (C07 to C10)', async () => {
      const { token } = await HttpApi.login(() => program, NAMED.coreBanqUser, 'person-password')
      const bank = new HttpApi(() => program, 'bank-token')
      await bank.publish(
        `notifications/realtime/user/${NAMED.coreBanqUser}`,
        JSON.stringify({
          type: 'chat',
          event: 'message_received',
          title: 'New Message',
          message: 'Hello from John',
          action_url: '/chat/room/456',
          data: { link_text: 'View Message' },
        }),
      )
      const answer = await curl({
        method: 'GET',
        url: `${program.url}/v1/notifications/sse`,
        headers: {
          Accept: 'text/event-stream',
          'Cache-Control': 'no-cache',
          Connection: 'keep-alive',
          Authorization: `Bearer ${token}`,
        },
        seconds: 2,
      })
      expect(answer.status).to.equal(200)
      expect(answer.headers['content-type']).to.match(/^text\/event-stream/)
      const frames = [...answer.text.matchAll(/^data: (.*)$/gm)].map(
        ([, json = '']) => JSON.parse(json) as Readonly<Record<string, unknown>>,
      )
      expect(frames).to.have.length(1)
      expect(frames[0]).to.include({
        type: 'chat',
        event: 'message_received',
        title: 'New Message',
        content: 'Hello from John',
        link_url: '/chat/room/456',
        link_text: 'View Message',
        read: false,
      })
      expect(frames[0]).to.include.keys('id', 'created_at')
    })
  })
})

/** `a.b`; of a list the first entry counts. */
function at(body: unknown, field: string): unknown {
  let found = body
  for (const name of field.split('.')) {
    const whole: unknown = Array.isArray(found) ? found[0] : found
    found = typeof whole === 'object' && whole !== null ? (whole as Record<string, unknown>)[name] : undefined
  }
  return found
}
