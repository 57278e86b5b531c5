import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { HttpApi } from '../support/http-api.ts'

const MINUTE = 60_000
/** The administrator, who reads on an open page only: whoever is on call is alone. */
const anna = {
  password: 'anna-password',
  roles: ['user', 'admin'],
  contact_rules: { critical: [{ via: ['app'] }] },
}
const TOPIC = 'plant/siren/set'

/** Clients and topics beside those of the harness; the second step of the team is the siren. */
function config(mode: 'live' | 'captured', siren: object = {}) {
  return {
    tenants: { acme: {} },
    clients: {
      siren: { token: 'siren-token', subscribe: ['plant/#'] },
      foreign: { token: 'foreign-token', tenant: 'acme', subscribe: ['plant/#'] },
    },
    teams: {
      platform: {
        alert_types: ['system_failure'],
        schedule: { layers: [{ rotate: ['bob'] }] },
        escalation: {
          steps: [
            { notify: ['oncall'], wait: '5m' },
            { notify: ['mqtt:siren'], wait: '30m' },
          ],
        },
      },
    },
    channels: {
      mqtt: {
        mode,
        topics: {
          siren: {
            topic: TOPIC,
            payload: '{"state":"on","what":"{{type}}"}',
            resolved_payload: '{"state":"off"}',
            ...siren,
          },
          lamp: { topic: 'plant/lamp/set', resolved_payload: '{"lamp":"off"}' },
        },
      },
    },
  }
}

describe('a siren that is a step of an escalation', () => {
  let program: Harness
  afterEach(() => program.close())

  const on = { state: 'on', what: 'system_failure' }
  const rowsOf = async (id: string) =>
    (await program.deliveries(id)).filter(({ channel }) => channel === 'mqtt')

  it('is switched on when its step fires, not before, and off once when the alert is resolved (P12, P13)', async () => {
    program = await harness({ config: config('live') })
    const siren = await program.client('siren')
    await siren.subscribe('plant/#')
    const id = await program.raise('alerts/critical/system_failure')
    await program.pass(5 * MINUTE - 1)
    await siren.caughtUp()
    expect(siren.received).to.deep.equal([])
    await program.pass(1)
    expect(await siren.count(TOPIC, 1)).to.deep.equal([{ topic: TOPIC, body: on, retain: false }])
    expect(await rowsOf(id)).to.have.length(1)
    expect((await rowsOf(id))[0]).to.include({
      state: 'sent',
      purpose: 'page',
      step: 2,
      address: TOPIC,
      userId: null,
    })

    await program.accepted(`alerts/${id}/resolve`, {})
    await program.accepted(`alerts/${id}/resolve`, {})
    await program.pass(MINUTE)
    await siren.caughtUp()
    expect(siren.received.map(({ body }) => body)).to.deep.equal([on, { state: 'off' }])
    expect((await rowsOf(id)).map(({ state, purpose }) => [state, purpose])).to.deep.equal([
      ['sent', 'page'],
      ['sent', 'outcome'],
    ])
  })

  it('is switched off as well when the condition itself says that it is over', async () => {
    program = await harness({ config: config('live') })
    const siren = await program.client('siren')
    await siren.subscribe('plant/#')
    await program.raise('alerts/critical/system_failure', { source: 'db' })
    await program.pass(5 * MINUTE)
    await program.accepted('alerts/critical/system_failure', {
      message: 'Well again',
      source: 'db',
      status: 'resolved',
    })
    await siren.count(TOPIC, 2)
    expect(siren.received.map(({ body }) => body)).to.deep.equal([on, { state: 'off' }])
  })

  it('hears nothing at all of an alert that is resolved before its step', async () => {
    program = await harness({ config: config('live') })
    const siren = await program.client('siren')
    await siren.subscribe('plant/#')
    const id = await program.raise('alerts/critical/system_failure')
    await program.accepted(`alerts/${id}/resolve`, {})
    await program.pass(6 * MINUTE)
    await siren.caughtUp()
    expect(siren.received).to.deep.equal([])
    expect(await rowsOf(id)).to.deep.equal([])
  })

  it('of another tenant does not hear it (security 18), and one that comes late hears what is retained', async () => {
    program = await harness({ config: config('live', { retain: true }) })
    const foreign = await program.client('foreign')
    await foreign.subscribe('plant/#')
    await program.raise('alerts/critical/system_failure')
    await program.pass(5 * MINUTE)
    const late = await program.client('siren')
    await late.subscribe('plant/#')
    expect(await late.count(TOPIC, 1)).to.deep.equal([{ topic: TOPIC, body: on, retain: true }])
    await foreign.caughtUp()
    expect(foreign.received).to.deep.equal([])
  })

  it('is switched off over a restart between the two (P1)', async () => {
    program = await harness({ config: config('live') })
    const id = await program.raise('alerts/critical/system_failure')
    await program.pass(5 * MINUTE)
    await program.restart()
    const siren = await program.client('siren')
    await siren.subscribe('plant/#')
    await program.accepted(`alerts/${id}/resolve`, {})
    await siren.count(TOPIC, 1)
    expect(siren.received.map(({ body }) => body)).to.deep.equal([{ state: 'off' }])
  })

  it('is kept in the outbox instead where the channel is captured, with what it would have got', async () => {
    program = await harness({ config: config('captured') })
    const siren = await program.client('siren')
    await siren.subscribe('plant/#')
    const id = await program.raise('alerts/critical/system_failure')
    await program.pass(5 * MINUTE)
    await program.accepted(`alerts/${id}/resolve`, {})
    await siren.caughtUp()
    expect(siren.received).to.deep.equal([])
    const { tenant } = await program.alert(id)
    const kept = await program.app.engine.store.outbox({ tenant, channel: 'mqtt' })
    expect(kept.map(({ address, text }) => [address, text])).to.deep.equal([
      [TOPIC, JSON.stringify(on)],
      [TOPIC, '{"state":"off"}'],
    ])
  })
})

describe('speech to a person whose contact rules ask for it', () => {
  let program: Harness
  afterEach(() => program.close())

  const run = async (via: readonly string[] = ['speech']) => {
    program = await harness({
      config: {
        users: {
          anna,
          bob: { password: 'bob-password', locale: 'de', contact_rules: { critical: [{ via }] } },
        },
        channels: { speech: { mode: 'live' } },
      },
    })
  }
  const rowOf = async (id: string) =>
    (await program.deliveries(id)).find(({ channel, userId }) => channel === 'speech' && userId === 'bob')

  it('reaches their open page as a sentence in their language, and nobody else (X07, X29)', async () => {
    await run()
    const page = await program.client('bob')
    await page.subscribe('users/bob/events/#')
    const other = await program.client('cem')
    await other.subscribe('users/cem/events/#')
    const id = await program.raise('alerts/critical/system_failure', { message: 'Datenbank antwortet nicht' })
    const [frame] = await page.count('users/bob/events/speech', 1)
    expect(frame).to.deep.equal({
      topic: 'users/bob/events/speech',
      retain: false,
      body: {
        type: 'speech',
        id: (await rowOf(id))?.id,
        text: 'Kritischer Alarm: system failure. Datenbank antwortet nicht',
        lang: 'de',
        severity: 'critical',
        alert_id: id,
      },
    })
    await page.caughtUp()
    await other.caughtUp()
    expect([page.received.length, other.received.length]).to.deep.equal([1, 0])
    expect(await rowOf(id)).to.include({ state: 'sent', attempts: 1 })
  })

  it('that nobody can hear says so, and the next step does not wait for it (P7, P20)', async () => {
    await run()
    const id = await program.raise('alerts/critical/system_failure')
    expect(await rowOf(id)).to.include({ state: 'suppressed', reason: 'not_connected', attempts: 1 })
    expect(await program.alert(id)).to.include({ step: 2 })
  })

  it('is not said to a page that is opened later', async () => {
    await run(['speech', 'sms'])
    const page = await program.client('bob', { clientId: 'page', clean: false })
    await page.subscribe('users/bob/events/#')
    await page.end()
    await program.quiet()
    const id = await program.raise('alerts/critical/system_failure')
    expect(await rowOf(id)).to.include({ state: 'suppressed', reason: 'not_connected' })
    const again = await program.client('bob', { clientId: 'page', clean: false })
    await again.caughtUp()
    expect(again.on('users/bob/events/speech')).to.deep.equal([])
  })
})

describe('chaos on the captured SMS of a demo', () => {
  let program: Harness
  beforeEach(async () => {
    program = await harness({
      config: {
        users: {
          anna,
          bob: {
            password: 'bob-password',
            phone: '+4915112345672',
            contact_rules: { critical: [{ via: ['sms'] }] },
          },
        },
      },
    })
  })
  afterEach(() => program.close())

  const chaos = async (body: object) => {
    const response = await fetch(`${program.app.httpUrl}/v1/outbox/chaos`, {
      method: 'PUT',
      headers: { authorization: 'Bearer console-token', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(response.status).to.equal(200)
  }
  const rowOf = async (id: string) =>
    (await program.deliveries(id)).find(({ channel, userId }) => channel === 'sms' && userId === 'bob')

  it('makes a message wait for its retry, which arrives once the provider is well (P7)', async () => {
    await chaos({ sms: { fail_rate: 1, status: 503 } })
    const id = await program.raise('alerts/critical/system_failure')
    expect(await rowOf(id)).to.include({
      state: 'pending',
      attempts: 1,
      error: 'http_503: Chaos answered 503',
    })
    expect(await program.phone('bob').messages('sms')).to.deep.equal([])
    await chaos({})
    await program.pass(MINUTE)
    expect(await rowOf(id)).to.include({ state: 'sent', attempts: 2 })
    expect(await program.phone('bob').messages('sms')).to.have.length(1)
  })

  it('ends a message dead, and brings the next step forward, where the provider refuses it for good (P7, P20)', async () => {
    await chaos({ sms: { fail_rate: 1, status: 404 } })
    const id = await program.raise('alerts/critical/system_failure')
    expect(await rowOf(id)).to.include({ state: 'dead', reason: 'http_404', attempts: 1 })
    expect(await program.alert(id)).to.include({ step: 2 })
    expect(await program.phone('bob').messages('sms')).to.deep.equal([])
  })

  it('pauses the provider that fails five times in a row (P24)', async () => {
    await chaos({ sms: { fail_rate: 1, status: 500 } })
    const id = await program.raise('alerts/critical/system_failure')
    await program.pass(MINUTE)
    const { values } = await program.app.engine.metrics.paused.get()
    expect(values.find(({ labels }) => labels['lane'] === 'sms')?.value).to.equal(1)
    expect(await rowOf(id)).to.include({ state: 'pending' })
  })

  it('of one tenant holds up no message of another (P24, security row 18)', async () => {
    program.reconfigure({
      tenants: { default: {}, acme: {} },
      users: { anna, eva: { password: 'eva-password', tenant: 'acme', roles: ['admin'] } },
      clients: { shop: { token: 'shop-token', tenant: 'acme', publish: ['notifications/#'] } },
    })
    await chaos({ sms: { fail_rate: 1, status: 500 } })
    for (let each = 0; each < 10; each++)
      await program.accepted('notifications/sms/send', { phone: `+491511234000${each}`, message: 'Hi' })
    await program.quiet()
    const phone = '+4915112340010'
    await program.accepted('notifications/sms/send', { phone, message: 'Hi' }, { as: 'shop' })
    await program.quiet()
    const eva = await HttpApi.login(() => ({ url: program.app.httpUrl }), 'eva', 'eva-password')
    const { items } = await eva.get<{ items: { address: string }[] }>('/v1/outbox')
    expect(items.map(({ address }) => address)).to.deep.equal([phone])
  })
})
