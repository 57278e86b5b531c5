import { expect } from 'chai'
import { HttpApi } from '../support/http-api.ts'
import { harness, type Harness } from '../support/harness.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const FAILURE = 'alerts/critical/system_failure'

interface WireSilence {
  readonly id: string
  readonly owner: string
  readonly active: boolean
  readonly ended_by: string | null
  readonly hidden: { readonly count: number; readonly alerts: readonly string[] }
}

describe('Silences over HTTP (contract section 6)', function () {
  this.timeout(60_000)
  let program: Harness
  beforeEach(async () => {
    program = await harness()
  })
  afterEach(() => program.close())

  const call = async (method: string, path: string, body?: object, as = 'console') => {
    const reach = () => ({ url: program.app.httpUrl })
    const api =
      program.app.engine.directory.user(as) === undefined
        ? new HttpApi(reach, `${as}-token`)
        : await HttpApi.login(reach, as, `${as}-password`)
    const answer = await api.request(method, path, body && JSON.stringify(body))
    await program.quiet()
    return answer
  }
  const until = (ms: number) => new Date(program.now + ms).toISOString()
  const wish = (more: object = {}) => ({
    match: { type: 'system_*' },
    reason: 'Disks are being changed',
    until: until(HOUR),
    ...more,
  })
  const silence = async (more: object = {}, as?: string) => {
    const { status, body } = await call('POST', '/v1/silences', wish(more), as)
    expect(status).to.equal(201)
    return body as WireSilence
  }
  const listed = async () =>
    ((await call('GET', '/v1/silences')).body as { items: readonly WireSilence[] }).items
  const texts = async (id = 'bob') => (await program.phone(id).messages('sms')).length
  const kinds = async (id: string) => (await program.timeline(id)).map(({ kind }) => kind)

  it('keep a new alert stored, on the board and quiet, and say by which silence and why (A8)', async () => {
    const { id, owner } = await silence()
    expect(owner).to.equal('console')
    const board = await program.client('anna')
    await board.subscribe('state/alerts/#')
    const alert = await program.raise(FAILURE)
    expect(await program.alert(alert)).to.include({
      status: 'suppressed',
      suppressedBy: `silence:${id}`,
      step: 0,
    })
    expect(await texts()).to.equal(0)
    expect(await program.deliveries(alert)).to.deep.equal([])
    expect((await program.timeline(alert)).at(-1)).to.deep.include({
      kind: 'suppressed',
      by: 'carillon',
      text: 'Silenced by console: Disks are being changed',
      ref: `silence:${id}`,
    })
    expect((await board.count('state/alerts/', 1))[0]).to.have.nested.property(
      'body.suppressed_by',
      `silence:${id}`,
    )
    // Repeats count, and page as little as before.
    await program.accepted(FAILURE, { message: 'Again' })
    expect((await program.alert(alert)).count).to.equal(2)
    expect(await texts()).to.equal(0)
  })

  it('page the first step at the very moment in which they end, also when that is after a restart (A8)', async () => {
    await silence()
    const alert = await program.raise(FAILURE)
    await program.pass(HOUR - 1)
    expect(await texts()).to.equal(0)
    await program.restart()
    await program.pass(1)
    expect(await texts()).to.equal(1)
    expect(await program.alert(alert)).to.include({ status: 'firing', step: 1, suppressedBy: null })
    expect(await kinds(alert)).to.deep.equal(['opened', 'suppressed', 'returned', 'step'])
    await program.pass(5 * MINUTE)
    expect(await texts('cem')).to.equal(1)
  })

  it('stop the pages of an alert that fires already, and bring it back at its first step when they are deleted (A8)', async () => {
    const alert = await program.raise(FAILURE)
    await program.pass(5 * MINUTE)
    expect([await texts('bob'), await texts('cem')]).to.deep.equal([1, 1])
    const { id } = await silence()
    expect((await program.alert(alert)).status).to.equal('suppressed')
    await program.pass(20 * MINUTE)
    expect([await texts('bob'), await texts('cem')]).to.deep.equal([1, 1])
    expect((await call('DELETE', `/v1/silences/${id}`)).status).to.equal(204)
    expect([await texts('bob'), await texts('cem')]).to.deep.equal([2, 1])
    expect((await program.alert(alert)).step).to.equal(1)
    expect((await call('DELETE', `/v1/silences/${id}`)).status).to.equal(404)
  })

  it('bring nothing back that was resolved or acknowledged meanwhile', async () => {
    const { id } = await silence()
    const resolved = await program.raise(FAILURE, { source: 'a' })
    const acknowledged = await program.raise(FAILURE, { source: 'b' })
    await program.accepted(FAILURE, { message: 'Over', source: 'a', status: 'resolved' })
    await program.accepted(`alerts/${acknowledged}/ack`, {})
    await call('DELETE', `/v1/silences/${id}`)
    await program.pass(HOUR)
    expect(await texts()).to.equal(0)
    expect((await program.alert(resolved)).status).to.equal('resolved')
    expect((await program.alert(acknowledged)).status).to.equal('acknowledged')
  })

  it('keep an alert quiet that returns to nobody’s hands by time alone: a snooze, a warning that became old', async () => {
    const snoozed = await program.raise(FAILURE)
    await program.accepted(`alerts/${snoozed}/snooze`, { for: '10m' }, { as: 'bob' })
    const before = await texts()
    await silence()
    expect((await program.alert(snoozed)).status).to.equal('snoozed')
    await program.pass(10 * MINUTE)
    expect((await program.alert(snoozed)).status).to.equal('suppressed')
    expect(await texts()).to.equal(before)
  })

  it('keep an alert quiet that becomes more severe, unless they are about the milder level only', async () => {
    await silence()
    const covered = await program.raise('alerts/warning/system_failure', { source: 'a' })
    await program.accepted(FAILURE, { message: 'Worse', source: 'a' })
    expect(await program.alert(covered)).to.include({
      status: 'suppressed',
      severity: 'critical',
      message: 'Worse',
    })
    expect(await texts()).to.equal(0)
    await silence({ match: { type: 'temp_*', severity: 'warning' }, until: until(48 * HOUR) })
    const outgrown = await program.raise('alerts/warning/temp_high', { source: 'b' })
    expect((await program.alert(outgrown)).status).to.equal('suppressed')
    await program.accepted('alerts/critical/temp_high', { message: 'Worse', source: 'b' })
    expect((await program.alert(outgrown)).status).to.equal('firing')
    await program.quiet()
    expect(await texts()).to.equal(1)
  })

  it('refuse to escalate what they hold back (E21)', async () => {
    await silence()
    const alert = await program.raise(FAILURE)
    const refused = await call('POST', `/v1/alerts/${alert}/escalate`, {})
    expect(refused.status).to.equal(409)
    expect((refused.body as { error: { code: string } }).error.code).to.equal('alert.suppressed')
  })

  it('show beforehand which open alerts they would hit, and create nothing then (P23)', async () => {
    const hit = await program.raise(FAILURE, { source: 'a' })
    await program.raise('alerts/critical/temp_high', { source: 'a' })
    const { status, body } = await call('POST', '/v1/silences', wish({ preview: true }))
    expect(status).to.equal(200)
    const preview = body as { count: number; items: readonly { id: string }[] }
    expect([preview.count, preview.items.map(({ id }) => id)]).to.deep.equal([1, [hit]])
    expect(await listed()).to.deep.equal([])
    expect((await program.alert(hit)).status).to.equal('firing')
  })

  it('list what each has hidden, also of what is resolved, and stay listed for seven days (P23)', async () => {
    const { id } = await silence()
    const alerts = [
      await program.raise(FAILURE, { source: 'a' }),
      await program.raise(FAILURE, { source: 'b' }),
    ]
    await program.accepted(FAILURE, { message: 'Over', source: 'a', status: 'resolved' })
    await program.pass(HOUR)
    const [first] = await listed()
    expect(first).to.deep.include({ id, active: false, ended_by: null })
    expect(first?.hidden.count).to.equal(2)
    expect(first?.hidden.alerts.toSorted()).to.deep.equal(alerts.toSorted())
    await program.restart(7 * 24 * HOUR - MINUTE)
    await program.pass(MINUTE / 2)
    expect(await listed()).to.have.length(1)
    await program.pass(11 * MINUTE)
    expect(await listed()).to.deep.equal([])
  })

  it('of critical alerts end within 24 h, and need a reason, an end and something to match', async () => {
    const status = async (more: object) => (await call('POST', '/v1/silences', wish(more))).status
    for (const wrong of [
      { until: until(25 * HOUR) },
      { until: until(25 * HOUR), match: { type: 'x', severity: 'critical' } },
      { until: until(-1) },
      { until: 'tomorrow' },
      { until: undefined },
      { reason: ' ' },
      { reason: undefined },
      { match: {} },
      { match: { team: 'nobody' } },
      { match: { kind: 'x' } },
    ])
      expect(await status(wrong), JSON.stringify(wrong)).to.equal(400)
    expect(await status({ until: until(24 * HOUR) })).to.equal(201)
    expect(await status({ until: until(25 * HOUR), match: { type: 'x', severity: 'info' } })).to.equal(201)
  })

  it('may be made by operators, and by a team’s members for what the team owns', async () => {
    const status = async (as: string, match: object) =>
      (await call('POST', '/v1/silences', wish({ match }), as)).status
    expect(await status('anna', { type: '*' })).to.equal(201)
    expect(await status('bob', { team: 'platform' })).to.equal(201)
    expect(await status('bob', { type: 'temp_high' })).to.equal(201)
    for (const match of [{ type: 'temp_*' }, { type: 'printer_jam' }, { source: 'a' }, { severity: 'info' }])
      expect(await status('bob', match), JSON.stringify(match)).to.equal(403)
    expect(await status('dora', { team: 'platform' })).to.equal(403)
    expect(await status('device', { type: 'temp_high' })).to.equal(403)
    const { id } = await silence({ match: { team: 'platform' } }, 'anna')
    expect((await call('DELETE', `/v1/silences/${id}`, undefined, 'dora')).status).to.equal(403)
    expect((await call('DELETE', `/v1/silences/${id}`, undefined, 'bob')).status).to.equal(204)
    expect((await listed()).find((each) => each.id === id)?.ended_by).to.equal('bob')
  })
})
