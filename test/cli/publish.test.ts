import { expect } from 'chai'
import { runCli } from '../../src/cli/run.ts'
import { fakeServer } from './fake-server.ts'
import { fakeTerminal } from './fake-terminal.ts'
import type { FakeServer } from './fake-server.ts'
import type { FakeTerminal } from './fake-terminal.ts'

const START = Date.UTC(2026, 0, 5, 12)
const iso = (ms: number) => new Date(START + ms).toISOString()
const parts = { start: () => Promise.resolve(0), version: '1.2.3' }

const OPENED = { at: iso(0), kind: 'opened', by: 'demo' }
const STEP1 = { at: iso(0), kind: 'step', by: 'carillon', step: 1, users: ['anna'] }
const STEP2 = { at: iso(12_000), kind: 'step', by: 'carillon', step: 2, users: ['bob'] }
const ACK = { at: iso(15_400), kind: 'acknowledged', by: 'bob', via: 'outbox' }
const sms = (state: string) => ({
  id: 'a1.1',
  user_id: 'anna',
  channel: 'sms',
  state,
  created_at: iso(0),
  sent_at: state === 'sent' ? iso(50) : null,
  provider_id: state === 'sent' ? 'captured' : null,
})

describe('carillon publish', () => {
  let server: FakeServer
  let terminal: FakeTerminal
  let polls: unknown[] = []
  let published: { status?: number; body: unknown }

  beforeEach(async () => {
    polls = []
    published = {
      status: 202,
      body: { id: 'm1', result: { status: 'sent', notification_id: 'n1', channels: ['realtime'] } },
    }
    server = await fakeServer(({ path }) => {
      if (path.startsWith('/v1/publish/')) return published
      if (path !== '/v1/alerts/a1' && path !== '/v1/deliveries') return undefined
      return { body: polls.length > 1 ? polls.shift() : polls[0] }
    })
    terminal = fakeTerminal({ CARILLON_URL: `${server.url}/`, CARILLON_TOKEN: 't0ken' })
  })
  afterEach(() => server.close())

  const run = (...argv: string[]) => runCli(['publish', ...argv], terminal, parts)
  const alertPublished = () => {
    published = { status: 202, body: { id: 'm1', result: { status: 'alert_processed', alert_id: 'a1' } } }
  }

  it('posts the JSON as it is, with the token, and says what it became', async () => {
    expect(await run('notifications/realtime/user/anna', '{"message": "It works", "id": 1}')).to.equal(0)
    expect(server.calls).to.have.length(1)
    expect(server.calls[0]).to.deep.include({
      method: 'POST',
      path: '/v1/publish/notifications/realtime/user/anna',
      body: { message: 'It works', id: 1 },
      authorization: 'Bearer t0ken',
      key: undefined,
    })
    expect(terminal.out()).to.equal('accepted  m1  notification n1  channels realtime\n')
    expect(terminal.err()).to.equal('')
  })

  const OUTCOMES: readonly (readonly [result: object, said: string])[] = [
    [{ status: 'group_sent', group_id: 'g', sent_count: 1 }, 'group_sent  1 person'],
    [{ status: 'broadcast_sent', broadcast_id: 'b', sent_count: 3 }, 'broadcast_sent  3 people'],
    [{ status: 'scheduled', send_at: 1_800_000_000 }, 'scheduled  for 2027-01-15T08:00:00.000Z'],
    [{ status: 'email_queued', email_id: 'e' }, 'email_queued'],
  ]
  for (const [result, said] of OUTCOMES) {
    it(`says that a publish became "${said}"`, async () => {
      published = { status: 202, body: { id: 'm1', result } }
      expect(await run('t', '-m', 'x')).to.equal(0)
      expect(terminal.out()).to.equal(`accepted  m1  ${said}\n`)
    })
  }

  const BODIES: readonly (readonly [argv: readonly string[], body: unknown])[] = [
    [['-m', 'Hello'], { message: 'Hello' }],
    [['{"title":"T"}', '-m', 'Hello'], { title: 'T', message: 'Hello' }],
    [[], {}],
    [['"text"'], 'text'],
  ]
  for (const [argv, body] of BODIES) {
    it(`with ${argv.join(' ') || 'nothing'} sends ${JSON.stringify(body)}`, async () => {
      expect(await run('t', ...argv)).to.equal(0)
      expect(server.calls[0]?.body).to.deep.equal(body)
    })
  }

  it('sends --id as the idempotency key (P3), and keeps odd signs of the topic', async () => {
    expect(await run('events/a b/ö?x', '-m', 'x', '--id', 'once')).to.equal(0)
    expect(server.calls[0]).to.deep.include({ path: '/v1/publish/events/a b/ö?x', key: 'once' })
  })

  it('refuses a payload that is no JSON without sending anything', async () => {
    expect(await run('t', '{message: x}')).to.equal(2)
    expect(terminal.err()).to.match(/^the payload is no JSON \(.*\); for plain text use -m\n$/)
    expect(server.calls).to.deep.equal([])
  })

  it('fails with the words of the server when that refuses', async () => {
    published = {
      status: 403,
      body: { error: { code: 'publish.forbidden', message: 'You may not publish to this topic' } },
    }
    expect(await run('t', '-m', 'x')).to.equal(1)
    expect(terminal.err()).to.equal('publish.forbidden: You may not publish to this topic (403)\n')
    expect(terminal.out()).to.equal('')
  })

  it('waits for an alert until somebody acknowledges, telling each thing once', async () => {
    alertPublished()
    polls = [
      { status: 'firing', timeline: [OPENED, STEP1], deliveries: [sms('pending')] },
      { status: 'firing', timeline: [OPENED, STEP1], deliveries: [sms('sent')] },
      { status: 'firing', timeline: [OPENED, STEP1, STEP2], deliveries: [sms('sent')] },
      { status: 'acknowledged', timeline: [OPENED, STEP1, STEP2, ACK], deliveries: [sms('sent')] },
    ]
    expect(await run('alerts/critical/x', '-m', 'x', '--wait')).to.equal(0)
    expect(terminal.out().split('\n')).to.deep.equal([
      'accepted  m1  alert a1',
      '  +0.00 s  alert opened by demo',
      '  +0.00 s  step 1: anna',
      '  +0.05 s  anna   sms  sent (captured)',
      '  +12.0 s  no answer -> step 2: bob',
      '  +15.4 s  acknowledged by bob (outbox)',
      '',
    ])
  })

  it('ends with 1 when nobody answered an alert', async () => {
    alertPublished()
    polls = [{ status: 'firing', timeline: [OPENED, { at: iso(36_000), kind: 'finished', by: 'carillon' }] }]
    expect(await run('alerts/critical/x', '--wait')).to.equal(1)
    expect(terminal.out()).to.contain('  +36.0 s  nobody answered')
  })

  it('stops watching at Ctrl-C', async () => {
    alertPublished()
    polls = [{ status: 'firing', timeline: [OPENED] }]
    const running = run('alerts/critical/x', '--wait')
    while (!terminal.out().includes('opened')) await new Promise((resolve) => setImmediate(resolve))
    terminal.interrupt()
    expect(await running).to.equal(0)
    expect(terminal.err()).to.equal('')
  })

  it('waits for a notification until every delivery is decided', async () => {
    polls = [{ items: [sms('sending')] }, { items: [sms('sent')] }]
    expect(await run('t', '-m', 'x', '--wait')).to.equal(0)
    expect(server.calls[1]).to.deep.include({ path: '/v1/deliveries', query: { notification_id: 'n1' } })
    expect(terminal.out()).to.equal(
      'accepted  m1  notification n1  channels realtime\n  +0.05 s  anna   sms  sent (captured)\n',
    )
  })

  it('ends with 1 when a delivery of a notification is lost', async () => {
    polls = [{ items: [sms('dead')] }]
    expect(await run('t', '-m', 'x', '--wait')).to.equal(1)
  })

  it('gives up after 10 s when a delivery stays undecided', async () => {
    polls = [{ items: [sms('pending')] }]
    expect(await run('t', '-m', 'x', '--wait')).to.equal(1)
    // One publish, and one look every 250 ms from 0 to 10 s.
    expect(server.calls).to.have.length(1 + 41)
    expect(terminal.err()).to.equal('some deliveries are still waiting; see `carillon deliveries ls`\n')
  })

  it('counts as done what is kept for somebody who is not connected', async () => {
    polls = [{ items: [sms('sent'), { ...sms('pending'), channel: 'realtime' }] }]
    expect(await run('t', '-m', 'x', '--wait')).to.equal(0)
    expect(terminal.err()).to.equal('kept until they connect: anna\n')
  })

  it('writes one JSON object a line for machines', async () => {
    alertPublished()
    polls = [{ status: 'acknowledged', timeline: [OPENED, ACK], deliveries: [sms('sent')] }]
    expect(await run('alerts/critical/x', '--wait', '--json')).to.equal(0)
    const lines = terminal.out().trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).to.deep.equal([
      { id: 'm1', result: { status: 'alert_processed', alert_id: 'a1' } },
      OPENED,
      sms('sent'),
      ACK,
    ])
  })

  it('paints for people only, and never with NO_COLOR', async () => {
    alertPublished()
    polls = [{ status: 'acknowledged', timeline: [ACK] }]
    const env = { CARILLON_URL: server.url }
    const shown = []
    for (const current of [
      fakeTerminal(env),
      fakeTerminal(env, { interactive: true }),
      fakeTerminal({ ...env, NO_COLOR: '1' }, { interactive: true }),
    ]) {
      await runCli(['publish', 'alerts/critical/x', '--wait'], current, parts)
      shown.push(current.out().includes('\u001b[32m'))
    }
    expect(shown).to.deep.equal([false, true, false])
  })
})
