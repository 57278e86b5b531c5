import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { HttpApi } from '../support/http-api.ts'
import { MqttPerson } from '../support/mqtt-person.ts'
import { Installation, type Program } from '../support/program.ts'
import { providerServer, type ProviderServer } from '../support/provider-server.ts'

const PHONE = '+4915112345673'
const MESSAGES = 1000
/** So many in a second at most: all of them within ten. */
const BURST = 125
const SECOND = 1000

const config = (gateway: string) => `
users:
  anna: { password: anna-password, roles: [admin] }
  cem: { password: cem-password, email: cem@example.org, phone: "${PHONE}", preferences: { sms: true } }
clients:
  shop: { token: shop-token-0123456789, publish: ["notifications/#"], rate_limit: { max_requests: 5000, window_seconds: 60 } }
channels:
  sms: { mode: live, provider: http, url: "${gateway}/send", body: '{"to":"{{to}}","text":"{{text}}"}' }
throttle: { sms: [[5, 15m]] }
`

interface Row {
  readonly state: string
  readonly reason: string | null
  readonly purpose: string
  readonly summary_id?: string
}

/** A process, a broker and a clock that are real: the same as in throttle.test.ts, seen from outside. */
describe('A thousand messages to one person within ten seconds', function () {
  this.timeout(90_000)
  let installation: Installation
  let program: Program
  let gateway: ProviderServer

  before(async () => {
    gateway = await providerServer()
    gateway.answer = () => ({ status: 200, body: {} })
    installation = new Installation(config(gateway.url))
    program = await installation.start()
  })
  after(async () => {
    await installation.remove()
    await gateway.close()
  })

  const texts = () => gateway.asked.map(({ body }) => JSON.parse(body) as { to: string; text: string })

  it('cost five text messages and one summary that counts the rest; the inbox and the record have all (P4, P11, E11)', async () => {
    const shop = await MqttPerson.connect(program, { username: 'shop', password: 'shop-token-0123456789' })
    const began = Date.now()
    for (let sent = 0; sent < MESSAGES; sent += BURST) {
      const body = (each: number) => ({ title: 'Order', message: `Message ${each}`, priority: 'critical' })
      await Promise.all(
        Array.from({ length: BURST }, (_, each) =>
          shop.publish('notifications/realtime/user/cem', body(sent + each)),
        ),
      )
    }
    expect(Date.now() - began, 'time for the thousand').to.be.lessThan(10 * SECOND)
    await eventually('the summary', () => texts()[5], 40 * SECOND)
    expect(Date.now() - began, 'time until the summary').to.be.lessThan(30 * SECOND)
    expect(new Set(texts().map(({ to }) => to))).to.deep.equal(new Set([PHONE]))
    expect(
      texts()
        .slice(0, 5)
        .every(({ text }) => text.startsWith('Order: Message ')),
    ).to.equal(true)
    expect(texts()[5]?.text).to.match(
      /^995 messages held back since \d\d:\d\d: 995 notifications \(Order\)\. http/,
    )

    const cem = await HttpApi.login(() => program, 'cem', 'cem-password')
    const inbox = await cem.get<{ total: number }>('/v1/notifications?limit=1')
    expect(inbox.total).to.equal(MESSAGES)
    const rows = await all(cem)
    const held = rows.filter(({ state }) => state === 'suppressed')
    expect(held).to.have.length(995)
    expect(new Set(held.map(({ reason, summary_id: id }) => `${reason} ${id !== undefined}`))).to.deep.equal(
      new Set(['throttled true']),
    )
    expect(new Set(held.map(({ summary_id: id }) => id)).size).to.equal(1)
    expect(rows.filter(({ state }) => state === 'sent').map(({ purpose }) => purpose)).to.have.members([
      ...Array<string>(5).fill('message'),
      'summary',
    ])
    expect(texts()).to.have.length(6)
    await shop.close()
  })

  async function all(api: HttpApi): Promise<readonly Row[]> {
    const rows: Row[] = []
    for (let cursor = ''; ;) {
      const page = await api.get<{ items: readonly Row[]; next_cursor?: string }>(
        `/v1/deliveries?channel=sms&limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      rows.push(...page.items)
      if (page.next_cursor === undefined) return rows
      cursor = page.next_cursor
    }
  }
})
