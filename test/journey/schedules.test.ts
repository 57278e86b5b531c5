import { expect } from 'chai'
import { readCalendar } from '../../src/oncall/calendar/read-calendar.ts'
import { harness, type Harness } from '../support/harness.ts'
import { HttpApi, type Answer, type Refused } from '../support/http-api.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

interface Override {
  readonly id: string
  readonly user: string
  readonly from: string
  readonly to: string
  readonly source: string
}
interface Shown {
  readonly user: string | null
  readonly users: readonly (string | { readonly user: string })[]
  readonly until: string | null
}

/** Monday 2026-01-05 12:00 UTC, 13:00 in Berlin. Bob and Cem take turns from Monday to Monday. */
describe('Schedules that people change', function () {
  this.timeout(30_000)
  let program: Harness
  let bob: HttpApi
  let anna: HttpApi
  afterEach(() => program.close())

  const api = (user: string) => HttpApi.login(() => ({ url: program.app.httpUrl }), user, `${user}-password`)
  const run = async (schedule: Readonly<Record<string, unknown>> = {}) => {
    program = await harness({
      config: {
        tenants: { other: {} },
        users: { olga: { name: 'Olga', password: 'olga-password', tenant: 'other' } },
        teams: {
          platform: {
            alert_types: ['system_failure'],
            schedule: {
              timezone: 'Europe/Berlin',
              layers: [{ rotate: ['bob', 'cem'], handoff: 'Mon 09:00', start: '2026-01-05' }],
              ...schedule,
            },
            escalation: { steps: [{ notify: ['oncall'], wait: '5m' }] },
          },
        },
      },
    })
    bob = await api('bob')
    anna = await api('anna')
  }
  const add = async (body: object, as = bob) =>
    as.post<Override & Refused>('/v1/oncall/platform/overrides', body)
  const now = async () =>
    (await bob.get<{ items: readonly Shown[] }>('/v1/oncall')).items[0] ?? {
      user: null,
      users: [],
      until: null,
    }
  const codeOf = (answer: Answer<unknown>) => [answer.status, (answer.body as Refused).error?.code]
  const paged = async (type = 'alerts/critical/system_failure') => {
    const id = await program.raise(type, { source: String(Math.random()) })
    return new Set((await program.deliveries(id)).map(({ userId }) => userId))
  }
  const TODAY = { from: '2026-01-05T13:00', to: '2026-01-05T18:00' }

  it('are replaced at once for pages and board, over a restart, and come back at the end (E23, contract section 6)', async () => {
    await run()
    const device = await program.client('bob')
    await device.subscribe('state/oncall/platform')
    const board = async () => {
      await device.caughtUp()
      return device.on('state/oncall/platform').at(-1)?.body ?? {}
    }
    expect(await board()).to.include({ user: 'bob' })
    const { status, body } = await add({ user: 'cem', ...TODAY, to: '2026-01-05T14:00' })
    expect(status).to.equal(201)
    expect(body).to.deep.include({
      user: 'cem',
      from: '2026-01-05T12:00:00.000Z',
      to: '2026-01-05T13:00:00.000Z',
      kind: 'replace',
      replaces: null,
      by: 'bob',
      source: 'api',
    })
    expect(await board()).to.include({ user: 'cem', until: body.to })
    expect(await paged()).to.deep.equal(new Set(['anna', 'cem']))
    await program.restart()
    expect(await now()).to.deep.include({ user: 'cem', users: ['cem'], until: body.to })
    await program.pass(HOUR)
    bob = await api('bob')
    expect(await now()).to.include({ user: 'bob' })
    expect(await paged()).to.deep.equal(new Set(['anna', 'bob']))
  })

  it('page both who are on at once, and show both (E3, E23)', async () => {
    await run()
    expect((await add({ user: 'cem', kind: 'add', ...TODAY })).status).to.equal(201)
    expect(await paged()).to.deep.equal(new Set(['anna', 'bob', 'cem']))
    expect(await now()).to.deep.include({ user: 'bob', users: ['bob', 'cem'] })
    const { items } = await bob.get<{ items: readonly object[] }>(
      '/v1/oncall/platform?from=2026-01-05T12:00:00Z&to=2026-01-06T00:00:00Z',
    )
    expect(items).to.deep.equal([
      { user: 'bob', from: '2026-01-05T12:00:00.000Z', to: '2026-01-06T00:00:00.000Z' },
      { user: 'cem', from: '2026-01-05T12:00:00.000Z', to: '2026-01-05T17:00:00.000Z' },
    ])
  })

  it('show the gap that a removal leaves, until it is taken back (E23, P15)', async () => {
    await run()
    const { body } = await add({ user: 'bob', kind: 'remove', ...TODAY })
    expect(await now()).to.deep.include({ user: null, users: [], until: null })
    const shown = await bob.get<{ items: readonly object[]; gaps: readonly object[] }>(
      '/v1/oncall/platform?from=2026-01-05T12:00:00Z&to=2026-01-05T18:00:00Z',
    )
    expect(shown).to.deep.equal({
      items: [{ user: 'bob', from: '2026-01-05T17:00:00.000Z', to: '2026-01-05T18:00:00.000Z' }],
      gaps: [{ from: '2026-01-05T12:00:00.000Z', to: '2026-01-05T17:00:00.000Z' }],
    })
    expect((await bob.request('DELETE', `/v1/oncall/platform/overrides/${body.id}`)).status).to.equal(204)
    expect(await now()).to.include({ user: 'bob' })
    expect(codeOf(await bob.request('DELETE', `/v1/oncall/platform/overrides/${body.id}`))).to.deep.equal([
      404,
      'request.not_found',
    ])
  })

  it('list those of the configuration too, which stay as they are (E23)', async () => {
    await run({ overrides: [{ user: 'cem', from: '2026-02-01T09:00', to: '2026-02-02T09:00' }] })
    await add({ user: 'cem', from: '2026-01-06T09:00+02:00', to: '2026-01-06T10:00:00Z' })
    const { items } = await bob.get<{ items: readonly Override[] }>('/v1/oncall/platform/overrides')
    expect(items.map(({ from, source }) => [from, source])).to.deep.equal([
      ['2026-02-01T08:00:00.000Z', 'file'],
      ['2026-01-06T07:00:00.000Z', 'api'],
    ])
    const refused = await bob.request('DELETE', `/v1/oncall/platform/overrides/${items[0]?.id}`)
    expect(codeOf(refused)).to.deep.equal([409, 'record.read_only'])
  })

  it('are changed by the team for the team, by operators for all of the tenant, and by nobody else (E23)', async () => {
    await run()
    const dora = await api('dora')
    const olga = await api('olga')
    const device = new HttpApi(() => ({ url: program.app.httpUrl }), 'device-token')
    expect(codeOf(await add({ user: 'dora', ...TODAY }, dora))).to.deep.equal([403, 'auth.forbidden'])
    expect(codeOf(await add({ user: 'dora', ...TODAY }))).to.deep.equal([403, 'auth.forbidden'])
    expect(codeOf(await add({ user: 'bob', ...TODAY }, device))).to.deep.equal([403, 'auth.forbidden'])
    expect(codeOf(await add({ user: 'olga', ...TODAY }, olga))).to.deep.equal([404, 'request.not_found'])
    expect(codeOf(await add({ user: 'olga', ...TODAY }, anna))).to.deep.equal([404, 'publish.unknown_user'])
    const { status, body } = await add({ user: 'dora', ...TODAY }, anna)
    expect(status).to.equal(201)
    expect(codeOf(await dora.request('DELETE', `/v1/oncall/platform/overrides/${body.id}`))).to.deep.equal([
      403,
      'auth.forbidden',
    ])
    expect(await now()).to.include({ user: 'dora' })
  })

  it('are refused with what is wrong, and nothing is changed (E23)', async () => {
    await run()
    const refusals: readonly [body: object, status: number, code: string, field?: string][] = [
      [{ user: 'cem', from: '2026-01-05T18:00', to: '2026-01-05T13:00' }, 400, 'request.invalid', 'to'],
      [{ user: 'cem', from: '2026-01-05T09:00', to: '2026-01-05T13:00' }, 400, 'oncall.past', 'to'],
      [{ user: 'cem', from: 'tomorrow', to: '2026-01-05T13:00' }, 400, 'request.invalid', 'from'],
      [{ user: 'cem', from: '2026-02-30T09:00', to: '2026-03-05T13:00' }, 400, 'request.invalid', 'from'],
      [{ user: 'cem', from: '2026-01-05T13:00', to: '2028-01-05T13:00' }, 400, 'request.invalid', 'to'],
      [{ user: 'zoe', ...TODAY }, 404, 'publish.unknown_user', 'user'],
      [{ user: 'cem', kind: 'add', replaces: 'bob', ...TODAY }, 400, 'request.invalid', 'replaces'],
      [{ user: 'cem', kind: 'swap', ...TODAY }, 400, 'request.invalid'],
      [{ user: 'cem' }, 400, 'request.invalid'],
    ]
    for (const [body, status, code, field] of refusals) {
      const answer = await add(body)
      expect(codeOf(answer), JSON.stringify(body)).to.deep.equal([status, code])
      if (field !== undefined) expect(answer.body.error.details).to.include({ field })
    }
    expect(
      (await bob.get<{ items: readonly object[] }>('/v1/oncall/platform/overrides')).items,
    ).to.deep.equal([])
    const first = await add({ user: 'cem', ...TODAY })
    const again = await add({ user: 'bob', from: '2026-01-05T17:00', to: '2026-01-05T20:00' })
    expect(codeOf(again)).to.deep.equal([409, 'oncall.overlap'])
    expect(again.body.error.details).to.deep.equal({ id: first.body.id })
    expect((await add({ user: 'bob', from: '2026-01-05T18:00', to: '2026-01-05T20:00' })).status).to.equal(
      201,
    )
    expect((await add({ user: 'cem', kind: 'add', ...TODAY })).status).to.equal(201)
  })

  it('give way to a temporary schedule in its window, also where that leaves nobody (E24)', async () => {
    await run()
    const window = { from: '2026-01-05T10:00', to: '2026-01-06T00:00' }
    const temporary = (body: object) =>
      bob.post<{ id: string } & Refused>('/v1/oncall/platform/temporary', body)
    const shift = { user: 'cem', from: '2026-01-05T10:00', to: '2026-01-05T15:00' }
    expect(
      codeOf(await temporary({ ...window, shifts: [{ ...shift, to: '2026-01-06T01:00' }] })),
    ).to.deep.equal([400, 'request.invalid'])
    const { status, body } = await temporary({ ...window, shifts: [shift] })
    expect(status).to.equal(201)
    expect(codeOf(await temporary({ ...window, shifts: [] }))).to.deep.equal([409, 'oncall.overlap'])
    expect(await now()).to.deep.include({ user: 'cem', until: '2026-01-05T14:00:00.000Z' })
    await program.restart(3 * HOUR)
    bob = await api('bob')
    expect(await now()).to.include({ user: null })
    const { items } = await bob.get<{ items: readonly object[] }>('/v1/oncall/platform/temporary')
    expect(items).to.have.length(1)
    expect((await bob.request('DELETE', `/v1/oncall/platform/temporary/${body.id}`)).status).to.equal(204)
    expect(await now()).to.include({ user: 'bob' })
  })

  it('follow a calendar that is imported, until it is dropped; a faulty one changes nothing (E24)', async () => {
    await run()
    const calendar = (summary: string) =>
      [
        'BEGIN:VCALENDAR',
        'BEGIN:VEVENT',
        'DTSTART:20260105T120000',
        'DTEND:20260105T180000',
        'RRULE:FREQ=DAILY',
        `SUMMARY:${summary}`,
        'END:VEVENT',
        'END:VCALENDAR',
      ].join('\n')
    const send = (text: string, as = anna) =>
      as.request<{ events: number } & Refused>('POST', '/v1/oncall/platform/import', text, {
        'content-type': 'text/calendar; charset=utf-8',
      })
    expect((await send(calendar('bob'), bob)).status).to.equal(403)
    expect((await send(calendar('dora'))).body).to.deep.equal({ events: 1 })
    expect(await now()).to.deep.include({ user: 'dora', until: '2026-01-05T17:00:00.000Z' })
    const faulty = await send(calendar('zoe'))
    expect(codeOf(faulty)).to.deep.equal([400, 'oncall.invalid_calendar'])
    expect(faulty.body.error.message).to.equal('Line 6: SUMMARY: "zoe" is no user\'s id or name')
    await program.restart()
    expect(await now()).to.include({ user: 'dora' })
    expect(await paged()).to.deep.equal(new Set(['anna', 'dora']))
    expect((await anna.request('DELETE', '/v1/oncall/platform/import')).status).to.equal(204)
    expect(await now()).to.include({ user: 'bob' })
  })

  it('are a calendar for who signs in, and for a secret address until that is void', async () => {
    await run()
    const answer = await bob.request<string>('GET', '/v1/oncall/platform.ics')
    expect(answer.headers.get('content-type')).to.equal('text/calendar; charset=utf-8')
    const people = program.app.engine.directory.users(program.app.engine.directory.tenants()[0]!)
    const read = readCalendar(answer.body, 'UTC', people)
    expect(read.ok && read.events.slice(0, 2).map(({ user }) => user)).to.deep.equal(['bob', 'cem'])
    const nobody = new HttpApi(() => ({ url: program.app.httpUrl }), null)
    expect((await nobody.request('GET', '/v1/oncall/platform.ics')).status).to.equal(401)
    expect((await bob.request('GET', '/v1/oncall/nothing.ics')).status).to.equal(404)
    expect((await (await api('olga')).request('GET', '/v1/oncall/platform.ics')).status).to.equal(404)

    const { status, body } = await bob.post<{ path: string }>('/v1/oncall/platform/feed')
    expect(status).to.equal(201)
    await program.restart()
    const fed = await nobody.request<string>('GET', body.path)
    expect(fed.status).to.equal(200)
    expect(fed.body.replaceAll(/DTSTAMP.*\r\n/g, '')).to.equal(answer.body.replaceAll(/DTSTAMP.*\r\n/g, ''))
    expect((await nobody.request('GET', '/ical/guess.ics')).status).to.equal(404)
    const secret = body.path.slice('/ical/'.length, -'.ics'.length)
    expect(JSON.stringify([...program.app.engine.registry.all({ name: 'oncall_feed' })])).to.not.include(
      secret,
    )
    expect((await bob.request('DELETE', '/v1/oncall/platform/feed')).status).to.equal(204)
    expect((await nobody.request('GET', body.path)).status).to.equal(404)
  })

  it('keep who is on call when somebody leaves the rotation, over a reload and a restart, with the board and pages (E22)', async () => {
    const rotating = (rotate: readonly string[]) => ({
      teams: {
        platform: {
          alert_types: ['system_failure'],
          schedule: { layers: [{ rotate, every: '1d', handoff: '09:00', start: '2026-01-01' }] },
          escalation: { steps: [{ notify: ['oncall'], wait: '5m' }] },
        },
      },
    })
    // Monday the 5th is the fifth turn: of four people Bob's, of three it would be Cem's.
    program = await harness({ config: rotating(['bob', 'cem', 'dora', 'anna']) })
    bob = await api('bob')
    expect(await now()).to.include({ user: 'bob', next: 'cem' })
    program.reconfigure(rotating(['bob', 'cem', 'anna']))
    expect(await now()).to.include({ user: 'bob', next: 'cem' })
    await program.restart()
    bob = await api('bob')
    expect(await now()).to.include({ user: 'bob', next: 'cem' })
    expect(await paged()).to.include('bob')
    program.reconfigure(rotating(['cem', 'anna']))
    expect(await now()).to.include({ user: 'cem', next: 'anna' })
    await program.pass(DAY)
    bob = await api('bob')
    expect(await now()).to.include({ user: 'anna', next: 'cem' })
  })
})

describe('Notices about who is on call', function () {
  this.timeout(30_000)
  let program: Harness
  let anna: HttpApi
  afterEach(() => program.close())

  /** Cem is on until 12:30, then Bob until 13:30, and so on. */
  const hourly = { rotate: ['bob', 'cem'], every: '1h', handoff: '00:30', start: '2026-01-05' }
  const run = async (announce: object, layer: object = hourly) => {
    program = await harness({
      config: {
        teams: {
          platform: {
            alert_types: ['system_failure'],
            schedule: { timezone: 'UTC', layers: [layer], announce },
            escalation: { steps: [{ notify: ['oncall'], wait: '5m' }] },
          },
        },
      },
    })
    anna = await HttpApi.login(() => ({ url: program.app.httpUrl }), 'anna', 'anna-password')
    await program.quiet()
  }
  const notices = async (user: string) =>
    (await program.inbox(user)).map(({ content: { title, message, type } }) => {
      expect(type).to.equal('oncall')
      return `${title}: ${message}`
    })
  const titles = async (user: string) => (await program.inbox(user)).map(({ content }) => content.title)

  it('tell who comes on and who goes off at the hand-off, and whoever is listed, once (E25)', async () => {
    await run({ to: ['user:dora'] })
    await program.pass(HOUR / 2 - 1)
    for (const user of ['bob', 'cem', 'dora']) expect(await notices(user), user).to.deep.equal([])
    await program.pass(1)
    const bobs = 'You are on call for platform: Until Mon, 5 Jan 2026, 13:30 (UTC).'
    expect(await notices('bob')).to.deep.equal([bobs])
    expect(await notices('cem')).to.deep.equal(['You are off call for platform: On call now: Bob.'])
    await program.pass(HOUR)
    expect(await notices('bob')).to.deep.equal([bobs, 'You are off call for platform: On call now: Cem.'])
    expect((await notices('cem')).slice(1)).to.deep.equal([
      'You are on call for platform: Until Mon, 5 Jan 2026, 14:30 (UTC).',
    ])
    expect(await notices('dora')).to.deep.equal([
      'On call for platform: On call now: Bob. Until Mon, 5 Jan 2026, 13:30 (UTC).',
      'On call for platform: On call now: Cem. Until Mon, 5 Jan 2026, 14:30 (UTC).',
    ])
    await program.restart()
    for (const user of ['bob', 'cem', 'dora']) expect(await notices(user), user).to.have.length(2)
  })

  it('tell at the next start of a hand-off that fell into a standstill, once (E25)', async () => {
    await run({})
    await program.restart(HOUR)
    expect(await titles('bob')).to.deep.equal(['You are on call for platform'])
    expect(await titles('cem')).to.deep.equal(['You are off call for platform'])
    await program.restart()
    expect(await titles('bob')).to.have.length(1)
  })

  it('are none when nothing effective changes: a hand-off to oneself, an override of who is on, a restart (O15)', async () => {
    // The turns from 11:30 to 14:30 are Bob's.
    const rotate = [...Array<string>(11).fill('cem'), 'bob', 'bob', 'bob']
    await run({ to: ['user:dora'] }, { ...hourly, rotate })
    const override = { user: 'bob', from: '2026-01-05T12:10', to: '2026-01-05T12:50' }
    expect((await anna.post('/v1/oncall/platform/overrides', override)).status).to.equal(201)
    await program.pass(HOUR)
    await program.restart(HOUR)
    await program.pass(HOUR / 2 - 1)
    for (const user of ['bob', 'cem', 'dora']) expect(await notices(user), user).to.deep.equal([])
    await program.pass(1)
    expect(await notices('bob')).to.have.length(1)
  })

  it('follow a swap that splits a shift: both are told at both of its ends (O15, E23)', async () => {
    await run({}, { rotate: ['bob'] })
    const swap = { user: 'cem', replaces: 'bob', from: '2026-01-05T12:10', to: '2026-01-05T12:20' }
    expect((await anna.post('/v1/oncall/platform/overrides', swap)).status).to.equal(201)
    await program.pass(HOUR / 2)
    const [on, off] = ['You are on call for platform', 'You are off call for platform']
    expect(await titles('cem')).to.deep.equal([on, off])
    expect(await titles('bob')).to.deep.equal([off, on])
  })

  it('say at a fixed time of day who is on call, over a restart, once a day, and nothing on changes that are not asked for (E25)', async () => {
    await run({ on_change: false, at: '12:30', to: ['team', 'user:dora'] }, { rotate: ['bob'] })
    await program.pass(HOUR / 2 - 1)
    expect(await notices('dora')).to.deep.equal([])
    await program.pass(1)
    const said = 'On call for platform: On call now: Bob.'
    expect(await notices('dora')).to.deep.equal([said])
    expect(await notices('bob')).to.deep.equal([said])
    await program.restart(DAY + HOUR)
    expect(await notices('dora')).to.deep.equal([said, said])
    await program.restart()
    expect(await notices('dora')).to.have.length(2)
  })
})
