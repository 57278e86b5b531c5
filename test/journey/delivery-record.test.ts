import { expect } from 'chai'
import { HttpApi } from '../support/http-api.ts'
import { harness, type Harness } from '../support/harness.ts'
import { created, providerServer, type ProviderServer } from '../support/provider-server.ts'

const BOB = 'notifications/realtime/user/bob'
const PHONE = '+4915112345672'
const HOUR = 60 * 60_000

interface Entry {
  readonly number: number
  readonly outcome: string
  readonly status: number | null
  readonly code: string | null
  readonly provider_id: string | null
}

interface Shown {
  readonly id: string
  readonly state: string
  readonly reason: string | null
  readonly attempts: number
  readonly resend_of?: string
  readonly resent_as?: string
  readonly history: readonly Entry[]
}

describe('the record of a delivery', function () {
  this.timeout(30_000)
  let program: Harness
  let twilio: ProviderServer
  let anna: HttpApi
  beforeEach(async () => {
    twilio = await providerServer()
  })
  afterEach(async () => {
    await program.close()
    await twilio.close()
  })

  const run = async (sms: object = {}, bob: object = {}) => {
    const account = { mode: 'live', account_sid: 'AC1', auth_token: 'secret', from: '+15005550006' }
    program = await harness({
      config: {
        server: { public_url: 'https://bell.example.org' },
        channels: { sms: { ...account, base_url: twilio.url, ...sms } },
        users: {
          anna: { password: 'anna-password', roles: ['user', 'admin'] },
          bob: { password: 'bob-password', phone: PHONE, ...bob },
        },
      },
    })
    anna = await HttpApi.login(() => ({ url: program.app.httpUrl }), 'anna', 'anna-password')
  }
  const text = async () => {
    const { result } = await program.accepted('notifications/sms/send', { phone: PHONE, message: 'Hi' })
    return rowOf(`message_id=${(result as { readonly sms_id: string }).sms_id}`)
  }
  const rowOf = async (query: string) => {
    const { items } = await anna.get<{ items: Shown[] }>(`/v1/deliveries?${query}`)
    const [row] = items
    if (!row) throw new Error('no delivery')
    return row
  }
  const record = (id: string) => anna.get<Shown>(`/v1/deliveries/${id}`)
  const created201 = () => twilio.asked.filter(({ method }) => method === 'POST').length

  it('shows every attempt with its status, in the list only their number and the last error, after a restart too (C19)', async () => {
    await run()
    twilio.answer = (_asked, count) => (count < 3 ? { status: 503 } : created('SM3'))
    const { id } = await text()
    await program.pass(60_000)
    await program.restart()
    anna = await HttpApi.login(() => ({ url: program.app.httpUrl }), 'anna', 'anna-password')
    const { history, ...row } = await record(id)
    expect(row).to.include({ state: 'sent', attempts: 3 })
    expect(history.map(({ number, outcome, status, code }) => [number, outcome, status, code])).to.deep.equal(
      [
        [1, 'failed', 503, 'http_503'],
        [2, 'failed', 503, 'http_503'],
        [3, 'sent', 201, null],
      ],
    )
    expect(history[2]?.provider_id).to.equal('SM3')
    expect(await rowOf(`message_id=${id.split('.')[0]}`)).not.to.have.property('history')
  })

  it('names what it was sent again from, and the newest resend, over generations', async () => {
    await run()
    const { id } = await text()
    const again = async (of: string) => {
      const { body } = await anna.post<{ id: string }>(`/v1/deliveries/${of}/resend`)
      await program.quiet()
      return body.id
    }
    const second = await again(id)
    const third = await again(second)
    expect(await record(id))
      .to.include({ resent_as: third })
      .and.not.to.have.property('resend_of')
    expect(await record(second)).to.include({ resend_of: id, resent_as: third })
    expect(await record(third)).to.include({ resend_of: second, state: 'sent' })
  })

  it('with `reconcile` sends an SMS again only if Twilio does not have it (P9)', async () => {
    await run({ on_ambiguous: 'reconcile' })
    const list = (...messages: object[]) => ({ status: 200, body: { messages } })
    const taken = () => ({
      sid: 'SMfound',
      status: 'sent',
      direction: 'outbound-api',
      body: 'Notification: Hi',
      date_created: new Date(program.now).toUTCString(),
    })
    for (const found of [true, false]) {
      twilio.asked.length = 0
      const before = taken()
      twilio.answer = ({ method }, count) =>
        method === 'GET' ? list(...(found ? [before] : [])) : count === 1 ? 'cut' : created('SMagain')
      const { id } = await text()
      before.body = twilio.asked[0]?.fields['Body'] ?? ''
      await program.pass(60_000)
      const { history, ...row } = await record(id)
      expect(row).to.include({ state: 'sent', provider_id: found ? 'SMfound' : 'SMagain' })
      expect(created201(), 'requests to send').to.equal(found ? 1 : 2)
      expect(history.map(({ outcome, code }) => [outcome, code])).to.deep.equal(
        found
          ? [
              ['unknown', 'connection_failed'],
              ['sent', 'reconciled'],
            ]
          : [
              ['unknown', 'connection_failed'],
              ['sent', null],
            ],
      )
    }
  })

  it('ends with reason ttl in the hour in which its ttl ends, although quiet hours would hold it longer', async () => {
    const quiet = { quiet_hours: { from: '00:00', to: '23:59' }, timezone: 'UTC' }
    await run({}, { ...quiet, email: 'bob@example.org' })
    const { notification_id: subject } = await program.accepted(BOB, {
      message: 'Hi',
      priority: 'high',
      ttl: 3600,
    })
    const { id, state } = await rowOf(`notification_id=${String(subject)}&channel=email`)
    expect(state).to.equal('pending')
    await program.pass(HOUR - 1)
    expect(await record(id)).to.include({ state: 'pending' })
    await program.pass(1)
    expect(await record(id)).to.include({ state: 'expired', reason: 'ttl', attempts: 0 })
    expect(created201()).to.equal(0)
  })
})
