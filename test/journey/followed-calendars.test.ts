import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { harness, type Harness } from '../support/harness.ts'
import { HttpApi, type Refused } from '../support/http-api.ts'
import { httpEndpoint, type HttpEndpoint } from '../support/http-endpoint.ts'

const MINUTE = 60_000

const calendar = (user: string) =>
  [
    'BEGIN:VCALENDAR',
    'BEGIN:VEVENT',
    'DTSTART:20260101T000000Z',
    'DTEND:20270101T000000Z',
    `SUMMARY:${user}`,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n')

interface Served {
  readonly status: number
  readonly body: string
  readonly etag?: string
}

/** Monday 2026-01-05 12:00 UTC. Without a calendar Bob is on call. */
describe('A calendar elsewhere that is followed', function () {
  this.timeout(30_000)
  let program: Harness
  let endpoint: HttpEndpoint
  let served: Served
  let anna: HttpApi
  afterEach(async () => {
    await program.close()
    await endpoint.close()
  })

  const settings = (schedule: object) => ({
    channels: { webhook: { allow: ['127.0.0.1'] } },
    teams: {
      platform: {
        alert_types: ['system_failure'],
        schedule: { layers: [{ rotate: ['bob'] }], ...schedule },
        escalation: { steps: [{ notify: ['oncall'], wait: '5m' }] },
      },
    },
  })
  const run = async (first: Served) => {
    served = first
    endpoint = await httpEndpoint(({ headers }, response) => {
      const { status, body, etag } = served
      if (etag !== undefined) response.setHeader('etag', etag)
      const same = etag !== undefined && headers['if-none-match'] === etag
      response.writeHead(same ? 304 : status)
      response.end(same ? '' : body)
    })
    program = await harness({ config: settings({ ical_url: `${endpoint.url}/duty.ics`, ical_every: '10m' }) })
    anna = await HttpApi.login(() => ({ url: program.app.httpUrl }), 'anna', 'anna-password')
  }
  const onCall = async () => (await anna.get<{ items: { user: string }[] }>('/v1/oncall')).items[0]?.user
  const alarms = async () =>
    (await program.openAlerts())
      .filter(({ type }) => type === 'carillon_calendar')
      .map(({ message }) => message)
  const holds = (what: string, look: () => boolean | Promise<boolean>) =>
    eventually(what, async () => (await look()) || undefined)
  const asked = (count: number) => holds(`request ${count}`, () => endpoint.received.length >= count)
  const isOnCall = (user: string) => holds(`${user} on call`, async () => (await onCall()) === user)

  it('is fetched at its interval, by its entity tag, and changes who is on call, over a restart', async () => {
    await run({ status: 200, body: calendar('cem'), etag: '"1"' })
    await isOnCall('cem')
    expect(endpoint.received[0]).to.include({ method: 'GET', path: '/duty.ics' })
    await program.pass(10 * MINUTE)
    await asked(2)
    expect(endpoint.received[1]?.headers['if-none-match']).to.equal('"1"')
    await isOnCall('cem')
    served = { status: 200, body: calendar('dora'), etag: '"2"' }
    await program.pass(10 * MINUTE)
    await isOnCall('dora')
    served = { status: 503, body: '' }
    await program.restart()
    expect(await onCall()).to.equal('dora')
  })

  it('changes nothing when it is faulty, too large, moved or gone; the operators are told until it is well', async () => {
    await run({ status: 200, body: calendar('cem') })
    await isOnCall('cem')
    const faults: readonly (readonly [Served, RegExp])[] = [
      [
        { status: 200, body: calendar('nobody-here') },
        /line 5: SUMMARY: "nobody-here" is no user's id or name/,
      ],
      [{ status: 200, body: '<html>Please sign in</html>' }, /no calendar: BEGIN:VCALENDAR is missing/],
      [{ status: 302, body: '' }, /its server answered 302/],
      [{ status: 200, body: 'x'.repeat(1024 * 1024 + 1) }, /it is over 1 MB/],
    ]
    for (const [fault, why] of faults) {
      served = fault
      await program.pass(10 * MINUTE)
      await holds(String(why), async () => why.test(String(await alarms())))
      expect(String(await alarms())).to.not.contain(endpoint.url)
      expect(await onCall()).to.equal('cem')
      served = { status: 200, body: calendar('cem') }
      await program.pass(MINUTE)
      await holds('the end of the alarm', async () => (await alarms()).length === 0)
    }
  })

  it('ends with its setting, and nothing is imported beside it', async () => {
    await run({ status: 200, body: calendar('cem') })
    await isOnCall('cem')
    const imported = await anna.request<Refused>('POST', '/v1/oncall/platform/import', calendar('dora'), {
      'content-type': 'text/calendar',
    })
    expect([imported.status, imported.body.error?.code]).to.deep.equal([409, 'record.read_only'])
    program.reconfigure(settings({}))
    await isOnCall('bob')
  })
})
