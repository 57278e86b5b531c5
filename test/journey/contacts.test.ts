import { expect } from 'chai'
import type { ServerResponse } from 'node:http'
import { CONTACT } from '../../src/contact/contact.ts'
import { eventually } from '../support/eventually.ts'
import { harness, type Harness } from '../support/harness.ts'
import { httpEndpoint, type HttpEndpoint } from '../support/http-endpoint.ts'
import { HttpApi, type Answer, type Refused } from '../support/http-api.ts'
import { Installation } from '../support/program.ts'

const MINUTE = 60_000
const PHONE = '+4915112345679'

interface Contact {
  readonly id: string
  readonly channel: string
  readonly address: string | null
  readonly verified: boolean
  readonly verified_at: string | null
  readonly source: string
  readonly link?: string
  readonly code?: string
}

describe('Addresses that people add for themselves', function () {
  this.timeout(30_000)
  let program: Harness
  let dora: HttpApi
  afterEach(() => program.close())

  const login = (user: string) =>
    HttpApi.login(() => ({ url: program.app.httpUrl }), user, `${user}-password`)
  /** Dora alone is on call, and has no address in the configuration; neither has the administrator. */
  const run = async (
    critical: readonly object[] = [{ via: ['sms'] }],
    channels: Readonly<Record<string, object>> = {},
  ) => {
    program = await harness({
      config: {
        users: {
          anna: { password: 'anna-password', roles: ['user', 'admin'] },
          dora: { password: 'dora-password', name: 'Dora', contact_rules: { critical } },
        },
        teams: {
          platform: {
            alert_types: ['system_failure'],
            schedule: { layers: [{ rotate: ['dora'] }] },
            escalation: {
              steps: [
                { notify: ['oncall'], wait: '5m' },
                { notify: ['user:cem'], wait: '5m' },
              ],
            },
          },
        },
        channels,
      },
    })
    dora = await login('dora')
  }
  const raise = (source = 'db1') => program.raise('alerts/critical/system_failure', { source })
  const add = async (channel: string, address?: string, as = dora) => {
    const answer = await as.post<Contact>('/v1/users/me/contacts', {
      channel,
      ...(address !== undefined && { address }),
    })
    await program.quiet()
    return answer
  }
  const added = async (channel: string, address: string, as = dora) => {
    const { status, body } = await add(channel, address, as)
    expect(status).to.equal(201)
    return body
  }
  const items = async (as = dora) =>
    (await as.get<{ items: readonly Contact[] }>('/v1/users/me/contacts')).items
  const messages = (channel?: 'sms' | 'voice' | 'email', user = 'dora') =>
    program.phone(user).messages(channel)
  const lastCode = async (user = 'dora') => {
    const text = (await messages(undefined, user)).at(-1)?.text ?? ''
    return /[0-9]{6}/.exec(text.replaceAll(', ', ''))?.[0] ?? ''
  }
  const act = <T = Contact>(id: string, verb: 'verify' | 'code', body: object = {}, as = dora) =>
    as.post<T>(`/v1/users/me/contacts/${id}/${verb}`, body)
  const verify = async (id: string, code: string, as = dora) =>
    act<Contact & Refused>(id, 'verify', { code }, as)
  const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  const codeOf = (answer: Answer<unknown>) => [answer.status, (answer.body as Refused).error?.code]
  /** Why the first step was passed over, so that the next one fired at once. */
  const passedOver = async (id: string) =>
    (await program.timeline(id)).find(({ kind, step }) => kind === 'skipped' && step === 1)?.text
  const pages = async (id: string) => (await program.deliveries(id)).filter(({ userId }) => userId === 'dora')

  it('get nothing but their code until it is given back, and pages from then on, over a restart (E20)', async () => {
    await run()
    const contact = await added('sms', '+49 151 1234-5679')
    expect(contact).to.include({ channel: 'sms', address: PHONE, verified: false, source: 'api' })
    const first = await raise()
    expect(await passedOver(first)).to.equal('No channel reaches dora')
    const [code, ...others] = await messages()
    expect(others).to.deep.equal([])
    expect(code).to.include({ channel: 'sms', address: PHONE, segments: 1 })
    expect(code?.text).to.match(/^[0-9]{6} is your code/)

    const { status, body } = await verify(contact.id, await lastCode())
    expect(status).to.equal(200)
    expect(body).to.include({ verified: true, verified_at: new Date(program.now).toISOString() })
    await raise('db2')
    await program.restart()
    await raise('db3')
    expect((await messages('sms')).slice(1).map(({ address, text }) => `${address} ${text}`)).to.deep.equal([
      `${PHONE} CRITICAL: system_failure - Out of order`,
      `${PHONE} CRITICAL: system_failure - Out of order`,
    ])
    expect(await items()).to.deep.equal([body])
    expect((await verify(contact.id, '000000')).status).to.equal(200)
    expect((await program.app.engine.store.conservation()).broken).to.equal(0)
  })

  it('are called only once the number was verified, and SMS verifies it for calls (N12, E20)', async () => {
    await run([{ via: ['voice'] }])
    const voice = await added('voice', PHONE)
    expect((await messages('voice'))[0]?.text).to.match(
      /^Your code for Carillon is ([0-9], ){5}[0-9]\. Once more/,
    )
    const before = await raise()
    expect(await passedOver(before)).to.equal('No channel reaches dora')
    expect(await messages('voice')).to.have.length(1)

    const sms = await added('sms', PHONE)
    await verify(sms.id, await lastCode())
    expect((await items()).map(({ id, verified }) => [id, verified])).to.deep.equal([
      [voice.id, true],
      [sms.id, true],
    ])
    const after = await raise('db2')
    expect((await pages(after))[0]).to.include({ state: 'sent', address: PHONE })
    expect(await messages('voice')).to.have.length(2)
  })

  it('need no second code for the same number on the other channel (E20)', async () => {
    await run()
    const voice = await added('voice', PHONE)
    await verify(voice.id, await lastCode())
    expect(await added('sms', PHONE)).to.include({ verified: true })
    expect(await messages()).to.have.length(1)
    expect((await added('email', 'dora@example.org')).verified).to.equal(false)
  })

  it('are lost after five wrong codes until a new one is sent, which voids the one before', async () => {
    await run()
    const { id } = await added('sms', PHONE)
    const code = await lastCode()
    const left = []
    for (let guess = 0; guess < 5; guess++) {
      const { status, body } = await verify(id, wrong(code))
      left.push([status, body.error.code, body.error.details?.['tries_left']])
    }
    expect(left).to.deep.equal([4, 3, 2, 1, 0].map((tries) => [400, 'contact.wrong_code', tries]))
    expect(codeOf(await verify(id, code))).to.deep.equal([409, 'contact.no_code'])
    await program.restart()
    expect(codeOf(await verify(id, code))).to.deep.equal([409, 'contact.no_code'])
    expect((await act(id, 'code')).status).to.equal(200)
    await program.quiet()
    const next = await lastCode()
    if (next !== code) expect(codeOf(await verify(id, code))).to.deep.equal([400, 'contact.wrong_code'])
    expect((await verify(id, next)).body).to.include({ verified: true })
  })

  it('have ten minutes for a code', async () => {
    await run()
    const { id } = await added('sms', PHONE)
    const code = await lastCode()
    await program.pass(10 * MINUTE)
    expect(codeOf(await verify(id, code))).to.deep.equal([409, 'contact.no_code'])
  })

  it('cost three codes in 15 minutes per person, whatever they remove and whenever we start (security 21)', async () => {
    await run()
    const { id } = await added('sms', PHONE)
    await act(id, 'code')
    expect((await dora.request('DELETE', `/v1/users/me/contacts/${id}`)).status).to.equal(204)
    await added('email', 'dora@example.org')
    await program.restart()
    const refused = await add('voice', PHONE)
    expect(codeOf(refused)).to.deep.equal([429, 'contact.too_many_codes'])
    expect(refused.headers.get('retry-after')).to.equal('900')
    expect(await items()).to.have.length(1)
    await program.pass(15 * MINUTE)
    expect((await add('voice', PHONE)).status).to.equal(201)
  })

  it('are twenty at most; whoever has more from a time with a higher limit may still remove them (E27)', async () => {
    await run()
    const { registry } = program.app.engine
    const { tenant } = program.app.engine.directory.user('dora')!
    for (let each = 0; each < 22; each++)
      await registry.put(
        CONTACT,
        { tenant, owner: 'dora', key: `contact-${each}` },
        {
          channel: 'email',
          address: `dora${each}@example.org`,
          verifiedAt: program.now,
          pending: null,
        },
      )
    const refused = await add('sms', PHONE)
    expect(codeOf(refused)).to.deep.equal([409, 'contact.too_many'])
    expect(JSON.stringify(refused.body)).to.include('at most 20')
    for (const key of ['contact-0', 'contact-1', 'contact-2']) {
      expect(codeOf(await add('sms', PHONE))).to.deep.equal([409, 'contact.too_many'])
      expect((await dora.request('DELETE', `/v1/users/me/contacts/${key}`)).status).to.equal(204)
    }
    expect((await add('sms', PHONE)).status).to.equal(201)
  })

  it('cost three codes in 15 minutes per address, whoever asks (security 21)', async () => {
    await run()
    const { id } = await added('sms', PHONE)
    await act(id, 'code')
    const bob = await login('bob')
    await added('sms', PHONE, bob)
    expect(codeOf(await add('voice', PHONE, await login('cem')))).to.deep.equal([
      429,
      'contact.too_many_codes',
    ])
    expect(codeOf(await add('email', 'x@example.org', bob))).to.deep.equal([201, undefined])
  })

  it('may be shared: a phone of the control room belongs to whoever verified it', async () => {
    await run()
    const bob = await login('bob')
    for (const [as, user] of [
      [dora, 'dora'],
      [bob, 'bob'],
    ] as const) {
      const { id } = await added('sms', PHONE, as)
      expect((await verify(id, await lastCode(user), as)).status).to.equal(200)
    }
    await raise()
    expect((await messages('sms')).at(-1)).to.include({ address: PHONE })
  })

  const refusals: readonly [title: string, body: object, status: number, code: string][] = [
    [
      'a country that is not allowed',
      { channel: 'sms', address: '+12025550123' },
      409,
      'contact.unreachable',
    ],
    ['a call to another country', { channel: 'voice', address: '+12025550123' }, 409, 'contact.unreachable'],
    ['a number that charges', { channel: 'sms', address: '+499001234567' }, 400, 'publish.invalid_address'],
    ['no number', { channel: 'voice', address: 'dora' }, 400, 'publish.invalid_address'],
    ['two mailboxes', { channel: 'email', address: 'a@b.org, c@d.org' }, 400, 'publish.invalid_address'],
    ['no address', { channel: 'sms' }, 400, 'publish.invalid_address'],
    ['a Telegram that is not live', { channel: 'telegram' }, 409, 'contact.unreachable'],
    ['another channel', { channel: 'push', address: 'x' }, 400, 'request.invalid'],
  ]
  it('are refused where no code may go, and nothing is sent or kept (security 21)', async () => {
    await run([], { sms: { countries: ['+49'] }, voice: { countries: ['+49'] } })
    for (const [title, body, status, code] of refusals)
      expect(codeOf(await dora.post('/v1/users/me/contacts', body)), title).to.deep.equal([status, code])
    await program.quiet()
    expect(await messages()).to.deep.equal([])
    expect(await items()).to.deep.equal([])
  })

  it('get nothing that was planned before they were removed; the next person is paged instead (E20, P7)', async () => {
    await run([{ after: '3m', via: ['sms'] }])
    const { id: contact } = await added('sms', PHONE)
    await verify(contact, await lastCode())
    const alert = await raise()
    expect((await pages(alert))[0]).to.include({ state: 'pending' })
    await dora.request('DELETE', `/v1/users/me/contacts/${contact}`)
    await program.pass(3 * MINUTE)
    expect((await pages(alert))[0]).to.include({ state: 'cancelled', reason: 'contact_removed' })
    expect(await program.alert(alert)).to.include({ step: 2 })
    expect(await messages('sms')).to.have.length(1)
    expect(await items()).to.deep.equal([])
  })

  it('stand beside those of the configuration, which are verified, come first and cannot be removed', async () => {
    await run()
    const bob = await login('bob')
    const own = await added('sms', PHONE, bob)
    await verify(own.id, await lastCode('bob'), bob)
    const list = await items(bob)
    expect(list.map(({ channel, address, source }) => `${channel} ${address} ${source}`)).to.deep.equal([
      'email bob@example.org file',
      'sms +4915112345672 file',
      'voice +4915112345672 file',
      `sms ${PHONE} api`,
    ])
    expect(list.every(({ verified }) => verified)).to.equal(true)
    expect((await bob.get<{ phone: string }>('/v1/users/me')).phone).to.equal('+4915112345672')
    const remove = (id = '') => bob.request('DELETE', `/v1/users/me/contacts/${id}`)
    expect(codeOf(await remove(list[0]?.id))).to.deep.equal([409, 'record.read_only'])
    expect((await add('email', 'bob@example.org', bob)).body).to.deep.equal(list[0])
  })

  it('are for their owner only: everybody else finds nothing, and machines have none', async () => {
    await run()
    const { id } = await added('sms', PHONE)
    const bob = await login('bob')
    const code = await lastCode()
    expect(codeOf(await verify(id, code, bob))).to.deep.equal([404, 'request.not_found'])
    expect(codeOf(await act(id, 'code', {}, bob))).to.deep.equal([404, 'request.not_found'])
    expect((await bob.request('DELETE', `/v1/users/me/contacts/${id}`)).status).to.equal(404)
    const machine = new HttpApi(() => ({ url: program.app.httpUrl }), 'console-token')
    expect((await machine.request('GET', '/v1/users/me/contacts')).status).to.equal(403)
    expect(
      (await new HttpApi(() => ({ url: program.app.httpUrl }), null).request('GET', '/v1/users/me/contacts'))
        .status,
    ).to.equal(401)
  })

  it('tell their code to nobody but their owner: no record, no list of deliveries', async () => {
    await run()
    await added('sms', PHONE)
    const code = await lastCode()
    const { registry } = program.app.engine
    const kept = ['contact', 'contact_codes'].flatMap((name) => [...registry.all({ name })])
    expect(kept).to.have.length(2)
    expect(JSON.stringify(kept)).to.not.include(code)
    const ops = new HttpApi(() => ({ url: program.app.httpUrl }), 'console-token')
    const rows = await ops.get<{ items: readonly object[] }>('/v1/deliveries?user=dora')
    expect(rows.items[0]).to.include({ purpose: 'code', address: '+49…79', state: 'sent' })
    expect(JSON.stringify(rows)).to.not.include(code)
  })
})

describe('A Telegram chat that a person links', function () {
  this.timeout(30_000)
  let program: Harness
  let api: HttpEndpoint
  let held: ServerResponse[]
  let dora: HttpApi
  const asked = (method: string) => api.received.filter(({ path }) => path === `/bot1:geheim/${method}`)
  const until = (condition: () => boolean) => eventually('a call of the bot', () => condition() || undefined)
  beforeEach(async () => {
    held = []
    api = await httpEndpoint((request, response) => {
      if (request.path.endsWith('/getUpdates')) {
        held.push(response)
        // The poll gives up what is held too long, and a program that ends what it holds.
        response.on('close', () => (held = held.filter((other) => other !== response)))
      } else response.end(JSON.stringify({ ok: true, result: { message_id: 7, username: 'bell_bot' } }))
    })
    program = await harness({
      config: {
        users: {
          dora: {
            password: 'dora-password',
            name: 'Dora',
            contact_rules: { critical: [{ via: ['telegram'] }] },
          },
        },
        teams: {
          platform: {
            alert_types: ['system_failure'],
            schedule: { layers: [{ rotate: ['dora'] }] },
            escalation: {
              steps: [
                { notify: ['oncall'], wait: '5m' },
                { notify: ['user:cem'], wait: '5m' },
              ],
            },
          },
        },
        channels: { telegram: { mode: 'live', bot_token: '1:geheim', api_root: api.url } },
      },
    })
    dora = await HttpApi.login(() => ({ url: program.app.httpUrl }), 'dora', 'dora-password')
  })
  afterEach(async () => {
    await program.close()
    await api.close()
  })

  const update = async (given: object) => {
    await until(() => held.length > 0)
    const polls = asked('getUpdates').length
    held.shift()?.end(JSON.stringify({ ok: true, result: [{ update_id: 5, ...given }] }))
    await until(() => asked('getUpdates').length > polls)
    await program.quiet()
  }
  const start = (code: string, chat = 4714) =>
    update({ message: { from: { id: chat }, chat: { id: chat, type: 'private' }, text: `/start ${code}` } })
  const press = (data: string, id: string) =>
    update({ callback_query: { id, from: { id: 4714 }, message: { chat: { id: 4714 } }, data } })
  const link = async () => (await dora.post<Contact>('/v1/users/me/contacts', { channel: 'telegram' })).body

  it('is theirs once they follow the link, once; then it is paged and answers (O12, E20)', async () => {
    const given = await link()
    expect(given).to.include({ address: null, verified: false })
    expect(given.link).to.equal(`https://t.me/bell_bot?start=${given.code}`)
    expect(
      (await dora.post(`/v1/users/me/contacts/${given.id}/verify`, { code: given.code })).status,
    ).to.equal(409)
    await start('guess')
    await start(given.code ?? '')
    expect(asked('sendMessage').map(({ body }) => (JSON.parse(body) as { text: string }).text)).to.deep.equal(
      ['This link is good for nothing any more.', 'Hello Dora, this chat is yours now.'],
    )
    const { items } = await dora.get<{ items: readonly Contact[] }>('/v1/users/me/contacts')
    expect(items).to.have.length(1)
    expect(items[0]).to.include({ id: given.id, address: '4714', verified: true })
    await start(given.code ?? '', 99)
    expect(asked('sendMessage')).to.have.length(3)

    await program.restart()
    const id = await program.raise('alerts/critical/system_failure')
    expect(asked('sendMessage')).to.have.length(4)
    await press(`ack:${id}`, 'q1')
    expect(await program.alert(id)).to.include({ acknowledgedBy: 'dora', acknowledgedVia: 'telegram' })
  })

  it('is not theirs after ten minutes, and the link before the last is none', async () => {
    const first = await link()
    const second = await link()
    expect(second.id).to.equal(first.id)
    await start(first.code ?? '')
    await program.restart(10 * MINUTE)
    await start(second.code ?? '')
    const { items } = await dora.get<{ items: readonly Contact[] }>('/v1/users/me/contacts')
    expect(items.map(({ verified }) => verified)).to.deep.equal([false])
  })

  it('escalates once for a press that Telegram gives again after a restart (security 25)', async () => {
    await start((await link()).code ?? '')
    const id = await program.raise('alerts/critical/system_failure')
    await press(`escalate:${id}`, 'q7')
    expect(await program.alert(id)).to.include({ step: 2 })
    await program.restart()
    await press(`escalate:${id}`, 'q7')
    expect(await program.alert(id)).to.include({ step: 2 })
    const said = asked('answerCallbackQuery').map(({ body }) => (JSON.parse(body) as { text: string }).text)
    expect(said.at(-1)).to.equal('This was done already.')
  })
})

describe('An address that was added, in the real program', function () {
  this.timeout(60_000)
  const installation = new Installation(`
users:
  anna: { password: anna-password, roles: [admin], contact_rules: { critical: [{ via: [sms] }] } }
clients: { device: { token: device-token, publish: ["alerts/#"] } }
teams: { ops: { alert_types: ["*"], schedule: { layers: [{ rotate: [anna] }] }, escalation: { steps: [{ notify: [oncall] }] } } }
server: { log_level: trace }
`)
  after(() => installation.remove())

  it('is paged after a kill, and its code stands in no line of the log (E20, security 26)', async () => {
    let program = await installation.start()
    const anna = await HttpApi.login(() => program, 'anna', 'anna-password')
    const { body } = await anna.post<Contact>('/v1/users/me/contacts', { channel: 'sms', address: PHONE })
    const outbox = async () => (await anna.get<{ items: readonly { text: string }[] }>('/v1/outbox')).items
    const [sent] = await eventually('the code', async () => {
      const items = await outbox()
      return items.length > 0 ? items : undefined
    })
    const code = sent?.text.slice(0, 6) ?? ''
    const verify = (given: string) => anna.post(`/v1/users/me/contacts/${body.id}/verify`, { code: given })
    expect((await verify('12')).status).to.equal(400)
    expect((await verify(code)).status).to.equal(200)
    const lines = JSON.stringify(program.lines)
    expect(lines).to.include('a contact was verified')
    // Six digits may well be a part of an instant or an id.
    expect(lines).to.not.match(new RegExp(`(?<![0-9a-f.-])${code}(?![0-9a-f-])`))
    await program.end('SIGKILL')
    program = await installation.start()
    const device = new HttpApi(() => program, 'device-token')
    expect((await device.publish('alerts/critical/fire', '{"message":"It burns"}')).status).to.equal(202)
    const paged = await eventually('the page', async () => {
      const items = await outbox()
      return items.length > 1 ? items : undefined
    })
    expect(paged[1]).to.include({ address: PHONE, text: 'CRITICAL: fire - It burns' })
  })
})
