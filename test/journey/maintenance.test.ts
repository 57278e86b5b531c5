import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const FAILURE = 'alerts/critical/system_failure'
const TOPIC = 'notifications/system/maintenance'

describe('A maintenance window (R35)', function () {
  this.timeout(60_000)
  let program: Harness
  beforeEach(async () => {
    program = await harness()
  })
  afterEach(() => program.close())

  const at = (ms: number) => new Date(Date.UTC(2026, 0, 5, 12) + ms).toISOString()
  const announce = async (more: object = {}) => {
    const result = await program.accepted(
      TOPIC,
      { id: 'w1', title: 'Update', affected_systems: ['shop'], start: at(HOUR), end: at(2 * HOUR), ...more },
      { qos: 2 },
    )
    await program.quiet()
    return result
  }
  const texts = async () => (await program.phone('bob').messages('sms')).length
  const told = async (id = 'dora') =>
    (await program.inbox(id)).map(({ content }) => `${content.title}: ${content.message}`)
  const shown = async () => {
    const states = await program.app.engine.store.states()
    return Object.fromEntries(states.map(({ name, state }) => [name, state['status']]))
  }
  const windows = async () => (await program.app.engine.store.states()).length

  it('reminds everybody half an hour before, once, and says when it is over and what it muted', async () => {
    expect(await announce()).to.deep.equal({
      status: 'maintenance_announced',
      components: 1,
      maintenance_id: 'w1',
    })
    await program.pass(30 * MINUTE - 1)
    expect(await told()).to.deep.equal([])
    await program.pass(1)
    const reminder = 'Maintenance: Update: Begins at 2026-01-05 13:00 UTC, ends at 2026-01-05 14:00 UTC'
    expect(await told()).to.deep.equal([reminder])
    await program.pass(30 * MINUTE)
    await program.raise(FAILURE, { source: 'shop' })
    await program.pass(HOUR)
    expect(await told()).to.deep.equal([reminder, 'Maintenance: Update: Is over; 1 alert was muted'])
    expect(await told('bob')).to.have.length(2)
  })

  it('shows itself on the board of its component, ahead, while it lasts and when it is over; over a restart as well', async () => {
    await announce()
    expect(await shown()).to.deep.equal({ shop: 'maintenance_scheduled' })
    await program.restart(HOUR)
    await program.pass(0)
    expect(await shown()).to.deep.equal({ shop: 'maintenance' })
    await program.pass(HOUR)
    expect(await shown()).to.deep.equal({ shop: 'operational' })
    expect(await windows()).to.equal(1)
  })

  it('leaves a state alone that somebody has said since', async () => {
    await announce()
    await program.pass(HOUR)
    await program.accepted('notifications/system/status', { component: 'shop', status: 'degraded' })
    await program.pass(HOUR)
    expect(await shown()).to.deep.equal({ shop: 'degraded' })
  })

  it('mutes and lists the new alerts of what is affected, and they page at its end if still open (E21)', async () => {
    await announce({ sources: ['rack7/*'], alert_types: ['temp_*'] })
    await program.pass(HOUR)
    const muted = [
      await program.raise(FAILURE, { source: 'shop' }),
      await program.raise(FAILURE, { source: 'x', affected_systems: ['shop'] }),
      await program.raise(FAILURE, { source: 'rack7/fan' }),
      await program.raise('alerts/critical/temp_high', { source: 'y' }),
    ]
    const other = await program.raise(FAILURE, { source: 'billing' })
    expect((await program.alert(other)).status).to.equal('firing')
    for (const id of muted)
      expect(await program.alert(id)).to.include({ status: 'suppressed', suppressedBy: 'maintenance:w1' })
    expect(await texts()).to.equal(1)
    const { tenant } = await program.alert(other)
    const { count, alertIds } = await program.app.engine.store.referring(tenant, 'maintenance:w1', 10)
    expect([count, alertIds.toSorted()]).to.deep.equal([4, muted.toSorted()])
    await program.accepted(FAILURE, { message: 'x', source: 'shop', status: 'resolved' })
    await program.pass(HOUR)
    const states = await Promise.all(muted.map(async (id) => (await program.alert(id)).status))
    expect(states).to.deep.equal(['resolved', 'firing', 'firing', 'firing'])
    expect((await program.timeline(muted[1]!)).map(({ kind }) => kind)).to.deep.equal([
      'opened',
      'suppressed',
      'returned',
      'step',
    ])
  })

  it('lets alerts that were open before go on (E21)', async () => {
    const alert = await program.raise(FAILURE, { source: 'shop' })
    await program.pass(1)
    await announce({ start: at(0) })
    await program.pass(5 * MINUTE)
    expect(await program.alert(alert)).to.include({ status: 'firing', step: 2 })
  })

  it('refuses to escalate what it mutes, with the reason (E21)', async () => {
    await announce({ start: at(0) })
    const alert = await program.raise(FAILURE, { source: 'shop' })
    const refused = await program.publish(`alerts/${alert}/escalate`, {}, { as: 'bob' })
    expect(refused).to.include({ kind: 'dead', code: 'alert.suppressed' })
  })

  it('is extended by its id: what it mutes waits for the new end', async () => {
    await announce({ start: at(0), end: at(HOUR) })
    const alert = await program.raise(FAILURE, { source: 'shop' })
    await announce({ start: at(0), end: at(3 * HOUR) })
    await program.pass(3 * HOUR - 1)
    expect(await texts()).to.equal(0)
    expect(await told()).to.have.length(0)
    await program.pass(1)
    expect((await program.alert(alert)).status).to.equal('firing')
    expect(await texts()).to.equal(1)
    expect(await told()).to.deep.equal(['Maintenance: Update: Is over; 1 alert was muted'])
  })

  it('is cancelled by its id alone: what it muted pages at once, the board is clear, people are told', async () => {
    await announce({ start: at(0), end: at(HOUR) })
    await program.raise(FAILURE, { source: 'shop' })
    expect(await program.accepted(TOPIC, { id: 'w1', status: 'cancelled' })).to.include({
      status: 'maintenance_cancelled',
    })
    await program.quiet()
    expect(await texts()).to.equal(1)
    expect(await shown()).to.deep.equal({ shop: 'operational' })
    await program.pass(2 * HOUR)
    expect(await told()).to.deep.equal(['Maintenance: Update: Is called off; 1 alert was muted'])
  })

  it('is not called off by an id that no window has, nor without one: whoever cancels is told (R35)', async () => {
    await announce({ start: at(0), end: at(HOUR) })
    const mistyped = await program.publish(TOPIC, { id: 'w11', status: 'cancelled' })
    expect(mistyped).to.include({
      kind: 'dead',
      code: 'publish.invalid_body',
      message: 'There is no maintenance window "w11" to cancel',
    })
    expect(await program.publish(TOPIC, { status: 'cancelled' })).to.include({
      kind: 'dead',
      message: 'Name the maintenance window to cancel by its id',
    })
    await program.raise(FAILURE, { source: 'shop' })
    expect(await texts()).to.equal(0)
  })

  it('is the same when it is sent again (P3)', async () => {
    await announce()
    const resent = await program.publish(TOPIC, {
      id: 'w1',
      title: 'Update',
      affected_systems: ['shop'],
      start: at(HOUR),
      end: at(2 * HOUR),
    })
    expect(resent).to.include({ kind: 'stored', duplicate: true })
    await program.pass(3 * HOUR)
    expect(await told()).to.have.length(2)
  })

  it('tells the groups it names, and becomes a dead letter when one of them is unknown', async () => {
    await announce({ target_groups: ['ops'] })
    await program.pass(3 * HOUR)
    expect([(await told('bob')).length, (await told('dora')).length]).to.deep.equal([2, 0])
    const wrong = await program.publish(TOPIC, { message: 'x', end: at(HOUR), target_groups: ['nobody'] })
    expect(wrong).to.include({ kind: 'dead', code: 'publish.unknown_group' })
  })

  it('without an end is announced and mutes nothing', async () => {
    await announce({ start: at(0), end: undefined })
    const alert = await program.raise(FAILURE, { source: 'shop' })
    expect((await program.alert(alert)).status).to.equal('firing')
  })
})
