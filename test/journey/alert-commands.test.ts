import { expect } from 'chai'
import type { ServerResponse } from 'node:http'
import { eventually } from '../support/eventually.ts'
import { harness, type Harness } from '../support/harness.ts'
import { httpEndpoint, type HttpEndpoint } from '../support/http-endpoint.ts'
import { HttpApi, type Refused } from '../support/http-api.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

interface WireAlert {
  readonly status: string
  readonly acknowledged_by: string | null
  readonly acknowledged_at: string | null
}

describe('Acting on an alert, over every door (contract section 6)', function () {
  this.timeout(30_000)
  let h: Harness

  beforeEach(async () => {
    h = await harness()
  })

  afterEach(() => h.close())

  type Door = (id: string, verb: string, body?: Readonly<Record<string, unknown>>) => Promise<unknown>
  const bobOverHttp = () => HttpApi.login(() => ({ url: h.app.httpUrl }), 'bob', 'bob-password')
  const mqtt: Door = (id, verb, body = {}) => h.accepted(`alerts/${id}/${verb}`, body, { as: 'bob' })
  const http: Door = async (id, verb, body = {}) => {
    const { status } = await (await bobOverHttp()).post<WireAlert>(`/v1/alerts/${id}/${verb}`, body)
    expect(status, verb).to.equal(200)
  }
  const kinds = async (id: string) =>
    (await h.timeline(id)).map(({ kind, by, via }) => `${kind} ${by} ${via ?? ''}`.trim())

  for (const [name, door] of Object.entries({ mqtt, http }))
    it(`takes every verb over ${name}, and writes down who and how`, async () => {
      const id = await h.raise('alerts/critical/system_failure')
      const status = async () => (await h.alert(id)).status
      await door(id, 'ack')
      expect(await status()).to.equal('acknowledged')
      await door(id, 'note', { note: 'Looking' })
      await door(id, 'unack')
      expect(await status()).to.equal('firing')
      await door(id, 'snooze', { for: '30m' })
      expect(await status()).to.equal('snoozed')
      await door(id, 'unack')
      expect(await status()).to.equal('firing')
      await door(id, 'escalate')
      expect((await h.alert(id)).step).to.equal(2)
      await door(id, 'reassign', { user: 'cem' })
      await door(id, 'resolve')
      await door(id, 'note', { note: 'It was the cable' })
      const own = (await kinds(id)).filter((entry) => entry.includes(' bob '))
      expect(own).to.deep.equal(
        [
          ['acknowledged', 'note', 'unacknowledged', 'snoozed'],
          ['unacknowledged', 'escalated', 'reassigned', 'resolved', 'note'],
        ]
          .flat()
          .map((kind) => `${kind} bob ${name}`),
      )
    })

  it('takes the verbs of an answer to a captured message, in the name of the person it went to', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const operator = h.app.engine.directory.principal('console')!
    const [sms] = await h.phone('bob').messages('sms')
    const answer = (reply: { readonly text?: string; readonly action?: string }) =>
      h.app.engine.replyToOutbox(operator, sms?.id ?? '', reply)
    expect(await answer({ action: 'ack' })).to.include('acknowledged by bob')
    expect(await answer({ text: 'ack' })).to.include('acknowledged by bob')
    await answer({ text: 'snooze 2h' })
    expect(await h.alert(id)).to.include({ status: 'snoozed', nextStepAt: h.now + 2 * HOUR })
    expect(await answer({ text: 'snooze 2d' })).to.match(/may not sleep that long/)
    await answer({ text: 'escalate' })
    await answer({ text: 'resolve' })
    expect((await kinds(id)).filter((entry) => entry.endsWith('outbox'))).to.deep.equal([
      'acknowledged bob outbox',
      'snoozed bob outbox',
      'escalated bob outbox',
      'resolved bob outbox',
    ])
  })

  it('answers a second acknowledgement with who and when, also to a button of a push (P16)', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    await h.accepted(`alerts/${id}/ack`, {}, { as: 'anna' })
    const at = new Date(h.now).toISOString()
    await h.pass(MINUTE)
    const { status, body } = await (await bobOverHttp()).post<WireAlert>(`/v1/alerts/${id}/ack`)
    expect([status, body.acknowledged_by, body.acknowledged_at]).to.deep.equal([200, 'anna', at])
    const result = await h.accepted(`alerts/${id}/ack`, {}, { as: 'bob' })
    expect(result).to.include({ acknowledged_by: 'anna', acknowledged_at: at })
  })

  it('lets a critical alert sleep for a day at most, unless configured, and others as long as anybody likes', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const bob = await bobOverHttp()
    const refused = await bob.post<Refused>(`/v1/alerts/${id}/snooze`, { for: '25h' })
    expect([refused.status, refused.body.error.code]).to.deep.equal([400, 'alert.snooze_too_long'])
    expect((await h.publish(`alerts/${id}/snooze`, { for: '25h' }, { as: 'bob' })).kind).to.equal('dead')
    expect((await bob.post(`/v1/alerts/${id}/snooze`, { for: '24h' })).status).to.equal(200)
    const warning = await h.raise('alerts/warning/system_failure', { source: 'other' })
    expect((await bob.post(`/v1/alerts/${warning}/snooze`, { for: '3d' })).status).to.equal(200)
    await h.close()
    h = await harness({ config: { alerts: { longest_snooze: '1h' } } })
    const short = await h.raise('alerts/critical/system_failure')
    expect((await (await bobOverHttp()).post(`/v1/alerts/${short}/snooze`, { for: '2h' })).status).to.equal(
      400,
    )
  })

  it('sleeps over a restart and pages step 1 again when it wakes (P17)', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    await h.pass(5 * MINUTE)
    await mqtt(id, 'snooze', { for: '30m' })
    await h.restart(10 * MINUTE)
    expect((await h.alert(id)).status).to.equal('snoozed')
    const before = (await h.phone('bob').messages('sms')).length
    await h.pass(20 * MINUTE - 1)
    expect(await h.phone('bob').messages('sms')).to.have.length(before)
    await h.pass(1)
    expect(await h.alert(id)).to.include({ status: 'firing', step: 1 })
    expect(await h.phone('bob').messages('sms')).to.have.length(before + 1)
    expect((await kinds(id)).slice(-2)).to.deep.equal(['returned carillon timer', 'step carillon'])
  })
})

describe('A page whose attempt is under way while its alert is acknowledged and handed back (P15)', function () {
  this.timeout(30_000)
  let h: Harness
  let gateway: HttpEndpoint
  let held: ServerResponse[]

  beforeEach(async () => {
    held = []
    gateway = await httpEndpoint((_request, response) => void held.push(response))
    h = await harness({
      config: {
        users: {
          anna: { name: 'Anna', password: 'anna-password' },
          bob: {
            name: 'Bob',
            password: 'bob-password',
            phone: '+4915112345672',
            contact_rules: { critical: [{ via: ['sms'] }] },
          },
        },
        channels: { sms: { mode: 'live', provider: 'http', url: gateway.url, body: '{"to":"{{to}}"}' } },
      },
    })
  })

  afterEach(async () => {
    await h.close()
    await gateway.close()
  })

  const asked = (count: number) => eventually(`request ${count}`, () => held[count - 1])

  it('is not tried again beside the page of the new round', async () => {
    const { alert_id: id } = await h.accepted('alerts/critical/system_failure', { message: 'Out of order' })
    const first = await asked(1)
    await h.accepted(`alerts/${String(id)}/ack`, {}, { as: 'bob' })
    await h.accepted(`alerts/${String(id)}/unack`, {}, { as: 'bob' })
    const second = await asked(2)
    second.end('{}')
    first.writeHead(503).end()
    await h.pass(MINUTE)
    expect(held).to.have.length(2)
    const rows = (await h.deliveries(String(id))).filter(({ channel }) => channel === 'sms')
    expect(rows.map(({ state, reason }) => [state, reason])).to.deep.equal([
      ['cancelled', 'superseded'],
      ['sent', null],
    ])
  })
})
