import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { saveConnection } from '../../src/cli/connection.ts'
import { runCli } from '../../src/cli/run.ts'
import { table } from '../../src/cli/terminal.ts'
import { fakeServer } from './fake-server.ts'
import { fakeTerminal } from './fake-terminal.ts'
import type { FakeServer } from './fake-server.ts'
import type { FakeTerminal } from './fake-terminal.ts'

const parts = { start: () => Promise.resolve(0), version: '1.2.3' }

const ALERT = {
  id: 'a1',
  type: 'disk_full',
  severity: 'critical',
  message: 'Disk is full',
  status: 'acknowledged',
  acknowledged_by: 'bob',
  acknowledged_via: 'http',
  count: 3,
  created_at: '2026-01-05T12:00:00.000Z',
}

const ITEM = {
  id: 'o1',
  channel: 'sms',
  user_id: 'anna',
  address: '+49…01',
  text: 'CRITICAL disk_full\nReply ACK 4711\u0007',
  segments: 1,
  actions: [{ id: 'ack', label: 'Acknowledge', url: 'http://localhost/a/x' }],
  created_at: '2026-01-05T12:00:00.000Z',
}

const ANSWERS: Readonly<Record<string, unknown>> = {
  'GET /v1/alerts': { items: [ALERT] },
  'GET /v1/alerts/a1': {
    ...ALERT,
    timeline: [{ at: '2026-01-05T12:00:01.000Z', kind: 'acknowledged', by: 'bob', via: 'http' }],
    deliveries: [
      {
        user_id: 'anna',
        channel: 'sms',
        state: 'sent',
        sent_at: '2026-01-05T12:00:00.050Z',
        provider_id: 'captured',
      },
    ],
  },
  'POST /v1/alerts/a1/ack': ALERT,
  'POST /v1/alerts/a1/snooze': ALERT,
  'POST /v1/alerts/a1/resolve': { ...ALERT, status: 'resolved' },
  'GET /v1/outbox': { items: [ITEM] },
  'POST /v1/outbox/o1/reply': { reply: 'Acknowledged, thank you' },
  'GET /v1/deliveries': {
    items: [
      {
        id: 'n1.1',
        user_id: 'anna',
        channel: 'email',
        address: 'a…@example.org',
        state: 'dead',
        attempts: 3,
        max_attempts: 3,
        error: '550 no such mailbox',
        created_at: '2026-01-05T12:00:00.000Z',
      },
    ],
  },
  'GET /v1/oncall': {
    items: [
      { team: 'platform', user: 'anna', until: '2026-01-12T08:00:00.000Z', next: { user: 'bob' } },
      { team: 'web', user: null, until: null, next: null },
    ],
  },
}

interface Row {
  readonly argv: string
  readonly calls: string
  readonly query?: object
  readonly body?: object
  readonly out: string
}

const ROWS: readonly Row[] = [
  {
    argv: 'alerts ls --status firing --severity critical --team platform --limit 5',
    calls: 'GET /v1/alerts',
    query: { status: 'firing', severity: 'critical', team: 'platform', limit: '5' },
    out:
      'ID  STATUS        SEVERITY  TYPE       COUNT  ACK BY  MESSAGE\n' +
      'a1  acknowledged  critical  disk_full  x3     bob     Disk is full\n',
  },
  {
    argv: 'alerts show a1',
    calls: 'GET /v1/alerts/a1',
    out:
      'a1  acknowledged  by bob (http)  critical disk_full: Disk is full\n' +
      '  +0.05 s  anna   sms  sent (captured)\n' +
      '  +1.00 s  acknowledged by bob (http)\n',
  },
  {
    argv: 'alerts ack a1 -m mine',
    calls: 'POST /v1/alerts/a1/ack',
    body: { note: 'mine' },
    out: 'a1  acknowledged  by bob (http)  critical disk_full: Disk is full\n',
  },
  {
    argv: 'alerts snooze a1 --for 30m',
    calls: 'POST /v1/alerts/a1/snooze',
    body: { for: '30m' },
    out: 'a1  acknowledged  by bob (http)  critical disk_full: Disk is full\n',
  },
  {
    argv: 'alerts resolve a1',
    calls: 'POST /v1/alerts/a1/resolve',
    body: {},
    out: 'a1  resolved  acknowledged by bob (http)  critical disk_full: Disk is full\n',
  },
  {
    argv: 'outbox ls --channel sms --user anna --since 2026-01-01',
    calls: 'GET /v1/outbox',
    query: { channel: 'sms', user: 'anna', since: '2026-01-01' },
    out:
      'ID  AT                        CHANNEL  USER  ADDRESS  CONTENT\n' +
      'o1  2026-01-05T12:00:00.000Z  sms      anna  +49…01   CRITICAL disk_full\n',
  },
  {
    argv: 'outbox show o1',
    calls: 'GET /v1/outbox',
    out:
      'channel    sms\nuser_id    anna\naddress    +49…01\ncreated_at 2026-01-05T12:00:00.000Z\nsegments   1\n' +
      '\nCRITICAL disk_full\nReply ACK 4711 \n[ack] Acknowledge http://localhost/a/x\n',
  },
  {
    argv: 'outbox reply o1 ack',
    calls: 'POST /v1/outbox/o1/reply',
    body: { text: 'ack' },
    out: 'Acknowledged, thank you\n',
  },
  {
    argv: 'outbox reply o1 --action ack',
    calls: 'POST /v1/outbox/o1/reply',
    body: { action: 'ack' },
    out: 'Acknowledged, thank you\n',
  },
  {
    argv: 'deliveries ls --user anna --channel email --state dead --alert a1 --notification n1',
    calls: 'GET /v1/deliveries',
    query: { user: 'anna', channel: 'email', state: 'dead', alert_id: 'a1', notification_id: 'n1' },
    out:
      'ID    AT                        USER  CHANNEL  ADDRESS         STATE  ATTEMPTS  REASON\n' +
      'n1.1  2026-01-05T12:00:00.000Z  anna  email    a…@example.org  dead   3/3       550 no such mailbox\n',
  },
  {
    argv: 'oncall now',
    calls: 'GET /v1/oncall',
    out:
      'TEAM      ON CALL  UNTIL                     NEXT\n' +
      'platform  anna     2026-01-12T08:00:00.000Z  bob\n' +
      'web       nobody\n',
  },
  {
    argv: 'oncall now web',
    calls: 'GET /v1/oncall',
    out: 'TEAM  ON CALL  UNTIL  NEXT\nweb   nobody\n',
  },
]

describe('a verb that asks the server', () => {
  let server: FakeServer
  let terminal: FakeTerminal
  before(async () => {
    server = await fakeServer(({ method, path }) => {
      const body = ANSWERS[`${method} ${path}`]
      return body === undefined ? undefined : { body }
    })
  })
  after(() => server.close())
  beforeEach(() => {
    server.calls.length = 0
    terminal = fakeTerminal()
  })

  const run = (argv: string) =>
    runCli([...argv.split(' '), '--url', server.url, '--token', 'secret'], terminal, parts)

  for (const { argv, calls, query, body, out } of ROWS) {
    it(`carillon ${argv}`, async () => {
      expect(await run(argv)).to.equal(0)
      expect(server.calls.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([calls])
      expect(server.calls[0]?.authorization).to.equal('Bearer secret')
      expect(server.calls[0]?.query).to.deep.equal(query ?? {})
      if (body) expect(server.calls[0]?.body).to.deep.equal(body)
      expect(terminal.out()).to.equal(out)
      expect(terminal.err()).to.equal('')
    })

    it(`carillon ${argv} --json gives what the server gave`, async () => {
      expect(await run(`${argv} --json`)).to.equal(0)
      expect(() => JSON.parse(terminal.out()) as unknown).not.to.throw()
      if (argv === 'oncall now' || argv.startsWith('deliveries')) {
        expect(JSON.parse(terminal.out())).to.deep.equal(ANSWERS[calls])
      }
    })
  }

  it('acts on several alerts in turn and stops at the first that fails', async () => {
    expect(await run('alerts ack a1 a2 a1')).to.equal(1)
    expect(server.calls.map(({ path }) => path)).to.deep.equal(['/v1/alerts/a1/ack', '/v1/alerts/a2/ack'])
    expect(terminal.err()).to.equal('request.not_found: There is nothing here, at /v1/alerts/a2/ack (404)\n')
  })

  it('knows a team that is not there, and says which are', async () => {
    expect(await run('oncall now nowhere')).to.equal(1)
    expect(terminal.out()).to.equal('')
    expect(terminal.err()).to.equal('there is no team nowhere; the teams are: platform, web\n')
  })

  it('says so when there is nothing to list, and cuts what would push the rest off the screen', () => {
    expect(table(['ID', 'TYPE', 'MESSAGE'], [])).to.equal('nothing there\n')
    const long = 'x'.repeat(70)
    expect(table(['ID', 'TYPE', 'MESSAGE'], [[long, long, long]])).to.equal(
      `${'ID'.padEnd(70)}  ${'TYPE'.padEnd(64)}  MESSAGE\n${long}  ${'x'.repeat(63)}…  ${long}\n`,
    )
  })

  it('names what stands in the way when the server does', async () => {
    const error = { code: 'oncall.overlap', message: 'Another one', details: { id: 'o7' } }
    const busy = await fakeServer(() => ({ status: 409, body: { error } }))
    const argv = ['oncall', 'override', 'web', 'anna', '--for', '1h', '--url', busy.url]
    const code = await runCli(argv, terminal, parts)
    await busy.close()
    expect(code).to.equal(1)
    expect(terminal.err()).to.equal('oncall.overlap: Another one: o7 (409)\n')
  })

  it('says how many of those who must acknowledge have done so', async () => {
    const alert = {
      id: 'a1',
      status: 'firing',
      severity: 'critical',
      type: 'net',
      message: 'Down',
      acknowledged_by: null,
      acks_required: 2,
      acknowledgements: [{ by: 'bob' }],
    }
    const half = await fakeServer(() => ({ body: alert }))
    await runCli(['alerts', 'ack', 'a1', '--url', half.url], terminal, parts)
    await half.close()
    expect(terminal.out()).to.equal('a1  firing  acknowledged by 1 of 2  critical net: Down\n')
  })

  it('knows a message that is not in the outbox', async () => {
    expect(await run('outbox show o2')).to.equal(1)
    expect(terminal.err()).to.equal('there is no message o2 in the outbox\n')
  })

  it('wants a reply to be a text or an action, not both and not neither', async () => {
    expect(await run('outbox reply o1')).to.equal(2)
    expect(await run('outbox reply o1 ack --action ack')).to.equal(2)
    expect(server.calls).to.deep.equal([])
  })

  it('fails in one sentence when an answer is not Carillon’s', async () => {
    const other = await fakeServer(() => ({ body: [1] }))
    const code = await runCli(['alerts', 'ls', '--url', other.url], terminal, parts)
    await other.close()
    expect(code).to.equal(1)
    expect(terminal.err()).to.equal(`${other.url} does not answer as Carillon does\n`)
  })

  it('names the file that a demo left when its address is not right any more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'carillon-verbs-'))
    const gone = await fakeServer(() => ({
      status: 401,
      body: { error: { code: 'auth.invalid', message: 'No' } },
    }))
    saveConnection(folder, { url: gone.url, token: 'old' })
    const argv = ['alerts', 'ls', '--data', folder]
    const source = `(the address is what a demo left in ${join(folder, 'cli.json')})`
    try {
      expect(await runCli(argv, terminal, parts)).to.equal(1)
      await gone.close()
      expect(await runCli(argv, terminal, parts)).to.equal(1)
    } finally {
      rmSync(folder, { recursive: true })
    }
    expect(terminal.err().trimEnd().split('\n')).to.deep.equal([
      `auth.invalid: No (401); give --token or CARILLON_TOKEN ${source}`,
      `cannot reach ${gone.url} (ECONNREFUSED); is \`carillon start\` running? ${source}`,
    ])
  })

  it('fails in one sentence when nobody listens', async () => {
    const gone = await fakeServer(() => undefined)
    await gone.close()
    expect(await runCli(['alerts', 'ls', '--url', gone.url], terminal, parts)).to.equal(1)
    expect(terminal.err()).to.equal(
      `cannot reach ${gone.url} (ECONNREFUSED); is \`carillon start\` running?\n`,
    )
  })
})
