import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const RULE = { group_by: ['type'], group_wait: '10s', group_interval: '1m' }

describe('Alerts of one group', function () {
  this.timeout(60_000)
  let program: Harness
  afterEach(() => program.close())

  const run = async (rule: object = RULE, config: Record<string, readonly unknown[]> = {}) => {
    program = await harness({ config: { grouping: [rule], ...config } })
  }
  const raise = (source: string, type = 'temp_high', level = 'critical') =>
    program.raise(`alerts/${level}/${type}`, { source })
  const over = async (source: string) => {
    await program.accepted('alerts/critical/temp_high', { message: 'Over', status: 'resolved', source })
    await program.quiet()
  }
  const texts = async (id = 'bob') => (await program.phone(id).messages('sms')).map(({ text }) => text)
  const statuses = async (ids: readonly string[]) =>
    Promise.all(ids.map(async (id) => (await program.alert(id)).status))
  const command = async (id: string, verb: string) => {
    await program.accepted(`alerts/${id}/${verb}`, {}, { as: 'bob' })
    await program.quiet()
  }

  it('page once after the wait, and the page counts and lists what it stands for (A3)', async () => {
    await run()
    const first = await raise('s1')
    await program.pass(5 * SECOND)
    const others = [await raise('s2'), await raise('s3')]
    await program.pass(4999)
    expect(await texts()).to.deep.equal([])
    await program.pass(1)
    expect(await texts()).to.deep.equal([
      'CRITICAL: temp_high - Out of order And 2 more of its group: temp_high of s2, temp_high of s3',
    ])
    expect(await statuses([first, ...others])).to.deep.equal(['firing', 'suppressed', 'suppressed'])
    expect((await program.alert(others[0]!)).suppressedBy).to.equal(`group:${first}`)
    await program.pass(4 * MINUTE)
    expect(await texts()).to.have.length(1)
  })

  it('never keep the first page of a critical alert waiting unless the configuration says so', async () => {
    await run({ group_by: ['type'] })
    await raise('s1')
    expect(await texts()).to.have.length(1)
  })

  it('page once when all of them open at the same moment', async () => {
    await run({ group_by: ['type'] })
    const sources = Array.from({ length: 20 }, (_, index) => `s${index}`)
    await Promise.all(
      sources.map((source) => program.accepted('alerts/critical/temp_high', { message: 'Hot', source })),
    )
    await program.quiet()
    expect(await texts()).to.have.length(1)
    await program.pass(MINUTE)
    const [, second, ...more] = await texts()
    expect(second).to.match(/And 19 more of its group/)
    expect(more).to.deep.equal([])
  })

  it('that join later are told of together after the interval, and then there is silence (A3)', async () => {
    await run()
    await raise('s1')
    await program.pass(10 * SECOND)
    const late = [await raise('s2'), await raise('s3')]
    await program.pass(MINUTE - 1)
    expect(await texts()).to.have.length(1)
    await program.pass(1)
    expect((await texts()).slice(1)).to.deep.equal([
      'CRITICAL: temp_high - Out of order And 2 more of its group: temp_high of s2, temp_high of s3',
    ])
    await program.pass(2 * MINUTE)
    expect(await texts()).to.have.length(2)
    expect(await statuses(late)).to.deep.equal(['suppressed', 'suppressed'])
  })

  it('that are over are told of together after the interval, and nobody is asked for an answer (A4)', async () => {
    await run()
    await raise('s1')
    const others = [await raise('s2'), await raise('s3')]
    await program.pass(10 * SECOND)
    await over('s2')
    await over('s3')
    await program.pass(MINUTE - 1)
    expect(await texts()).to.have.length(1)
    await program.pass(1)
    const [, notice, ...more] = await program.phone('bob').messages('sms')
    expect(notice?.text).to.match(/OVER: 2 of the group.*temp_high of s2, temp_high of s3/)
    expect(notice?.actions).to.deep.equal([])
    expect(more).to.deep.equal([])
    expect(await statuses(others)).to.deep.equal(['resolved', 'resolved'])
  })

  it('are acknowledged by one answer, and start again together when it is taken back (E12)', async () => {
    await run()
    const ids = [await raise('s1'), await raise('s2'), await raise('s3')]
    await program.pass(10 * SECOND)
    const [page] = await program.phone('bob').messages('sms')
    const answer = { text: 'ack' }
    await program.app.engine.replyToOutbox(program.app.engine.directory.principal('anna')!, page!.id, answer)
    await program.quiet()
    expect(await statuses(ids)).to.deep.equal(['acknowledged', 'acknowledged', 'acknowledged'])
    expect(await program.alert(ids[1]!)).to.include({ acknowledgedBy: 'bob', acknowledgedVia: 'group' })
    await program.pass(20 * MINUTE)
    expect(await texts('cem')).to.deep.equal([])
    await program.app.engine.commandAlert(
      { kind: 'alert-command', alertId: ids[0]!, verb: 'unack' },
      program.app.engine.directory.principal('bob')!,
      'http',
    )
    await program.quiet()
    expect(await statuses(ids)).to.deep.equal(['firing', 'suppressed', 'suppressed'])
    expect(await texts()).to.have.length(2)
  })

  it('of which nobody was told yet are not acknowledged with the others, and page by themselves', async () => {
    await run()
    const first = await raise('s1')
    await program.pass(10 * SECOND)
    const late = await raise('s2')
    await command(first, 'ack')
    expect((await program.alert(late)).status).to.equal('suppressed')
    await program.pass(MINUTE)
    expect((await program.alert(late)).status).to.equal('firing')
    expect((await texts()).at(-1)).to.equal('CRITICAL: temp_high - Out of order')
  })

  it('page again one interval after the one that stood for them is over, unless they are over as well (A7)', async () => {
    await run()
    await raise('s1')
    const lasting = [await raise('s2'), await raise('s3')]
    await program.pass(10 * SECOND)
    await over('s1')
    await program.pass(MINUTE - 1)
    const before = (await texts()).length
    await program.pass(1)
    expect((await texts()).slice(before)).to.have.length(1)
    expect((await statuses(lasting)).toSorted()).to.deep.equal(['firing', 'suppressed'])
  })

  it('with another level, value or team do not page together', async () => {
    await run({ group_by: ['type', 'data.rack'], group_wait: '0s' })
    await program.raise('alerts/critical/temp_high', { source: 's1', data: { rack: 1 } })
    await program.raise('alerts/critical/temp_high', { source: 's2', data: { rack: 2 } })
    await program.raise('alerts/critical/temp_low', { source: 's3', data: { rack: 1 } })
    expect(await texts()).to.have.length(3)
  })

  it('stop waiting when one of them becomes worse', async () => {
    await run()
    await raise('s1', 'temp_high', 'warning')
    const worse = await raise('s2', 'temp_high', 'warning')
    await program.pass(10 * SECOND)
    await raise('s2')
    expect(await program.alert(worse)).to.include({ status: 'firing', severity: 'critical' })
    expect(await texts()).to.have.length(1)
  })

  it('stay a group over a restart: nothing is lost and nothing is told twice (A5)', async () => {
    await run()
    const ids = [await raise('s1'), await raise('s2')]
    await program.restart(4 * SECOND)
    expect(await texts()).to.deep.equal([])
    await program.pass(6 * SECOND)
    expect(await texts()).to.have.length(1)
    ids.push(await raise('s3'))
    await program.restart(2 * MINUTE)
    await program.pass(SECOND)
    expect((await texts()).slice(1)).to.deep.equal([
      'CRITICAL: temp_high - Out of order And 2 more of its group: temp_high of s2, temp_high of s3',
    ])
    await program.restart()
    await program.pass(MINUTE)
    expect(await texts()).to.have.length(2)
    await command(ids[0]!, 'ack')
    expect(await statuses(ids)).to.deep.equal(['acknowledged', 'acknowledged', 'acknowledged'])
  })

  it('that ended before the program did are told of after its start', async () => {
    await run()
    await raise('s1')
    await raise('s2')
    await program.pass(10 * SECOND)
    await over('s2')
    await program.restart(MINUTE)
    await program.pass(SECOND)
    expect((await texts()).at(-1)).to.match(/OVER: 1 of the group/)
  })

  it('page by themselves when the rule is taken away', async () => {
    await run()
    const ids = [await raise('s1'), await raise('s2')]
    await program.pass(10 * SECOND)
    program.reconfigure({ grouping: [] })
    await program.quiet()
    expect(await statuses(ids)).to.deep.equal(['firing', 'firing'])
  })

  it('are explained as such', async () => {
    await run()
    const first = await raise('s1')
    const second = await raise('s2')
    const bob = program.app.engine.directory.principal('bob')!
    const { chain } = await program.app.engine.why(bob, second, 'bob')
    expect(chain.find(({ code }) => code === 'grouped')?.detail).to.deep.equal({
      suppressed_by: `group:${first}`,
    })
    const events = await program.app.engine.simulate(bob, {
      alert: { type: 'temp_high', severity: 'critical' },
      at: program.now,
      forMs: MINUTE,
      outages: [],
      silent: [],
      acks: [],
    })
    expect(events.map(({ kind, reason }) => [kind, reason])).to.deep.include([
      'suppressed',
      'Grouped: temp_high of s1 pages for it',
    ])
  })
})
