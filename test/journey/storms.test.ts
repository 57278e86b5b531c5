import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { isPage } from '../support/is-page.ts'

const MINUTE = 60_000
/** The limit counts over all programs of this process, so nobody else publishes in this name. */
const SWARM = {
  swarm: {
    token: 'swarm-token',
    publish: ['alerts/#'],
    rate_limit: { max_requests: 100_000, window_seconds: 60 },
  },
}

describe('An alert that comes and goes', function () {
  this.timeout(60_000)
  let program: Harness
  afterEach(() => program.close())

  const fires = () => program.raise('alerts/critical/system_failure', { source: 'fan' })
  const ends = async () => {
    const result = await program.accepted('alerts/critical/system_failure', {
      message: 'Over',
      source: 'fan',
      status: 'resolved',
    })
    await program.quiet()
    return result['status']
  }
  const pages = async () => (await program.phone('bob').messages('email')).filter(isPage).length
  const flap = async (times: number) => {
    let id = ''
    for (let each = 0; each < times; each++) {
      id = await fires()
      await ends()
      await program.pass(1000)
    }
    return id
  }

  it('more than five times in ten minutes is kept open, pages no more and counts on, until it was quiet (P27)', async () => {
    program = await harness()
    const id = await flap(6)
    expect(await program.alert(id)).to.include({ status: 'suppressed', suppressedBy: 'flapping', count: 1 })
    const before = await pages()
    expect(before).to.equal(6)
    expect(await flap(14)).to.equal(id)
    expect((await program.alert(id)).count).to.equal(15)
    expect(await pages()).to.equal(before)
    expect((await program.timeline(id)).filter(({ kind }) => kind === 'suppressed')).to.have.length(1)
    await program.pass(10 * MINUTE - 1001)
    expect((await program.alert(id)).status).to.equal('suppressed')
    await program.pass(1)
    expect((await program.alert(id)).status).to.equal('resolved')
    expect(await pages()).to.equal(before)
    await program.pass(10 * MINUTE)
    expect(await fires()).not.to.equal(id)
    expect(await pages()).to.equal(before + 1)
  })

  it('and then stays pages again', async () => {
    program = await harness()
    const id = await flap(6)
    const before = await pages()
    expect(await fires()).to.equal(id)
    await program.pass(10 * MINUTE)
    expect(await program.alert(id)).to.include({ status: 'firing', step: 1 })
    expect(await pages()).to.equal(before + 1)
  })

  it('is resolved each time where `flapping.changes` is 0', async () => {
    program = await harness({ config: { flapping: { changes: 0 } } })
    await fires()
    for (let each = 0; each < 10; each++) {
      expect(await ends()).to.equal('alert_resolved')
      await fires()
    }
  })

  it('by name is the same publish, however often it is sent again: a retained one pages once (P28)', async () => {
    program = await harness()
    const send = () =>
      program.publish('alerts/critical/system_failure', { message: 'x', source: 'fan', id: 'once' })
    await send()
    await program.accepted('alerts/critical/system_failure', {
      message: 'x',
      source: 'fan',
      status: 'resolved',
    })
    expect(await send()).to.include({ kind: 'stored', duplicate: true })
    await program.quiet()
    expect(await program.openAlerts()).to.deep.equal([])
    expect(await pages()).to.equal(1)
  })
})

describe('A storm of one type from 2,000 sources', function () {
  this.timeout(120_000)
  let program: Harness
  afterEach(() => program.close())

  it('pages at once for its first alert and for another type in its midst, and the store holds all (P7)', async () => {
    program = await harness({ config: { clients: SWARM } })
    const fail = (source: number) =>
      program.accepted(
        'alerts/critical/temp_high',
        { message: 'Too hot', source: `sensor-${source}` },
        { as: 'swarm' },
      )
    const texts = async () => (await program.phone('bob').messages('sms')).map(({ alertId }) => alertId)
    const first = await fail(0)
    await program.quiet()
    expect(await texts()).to.deep.equal([first['alert_id']])
    await Promise.all(Array.from({ length: 1000 }, (_, each) => fail(each + 1)))
    const other = await program.raise('alerts/critical/system_failure')
    expect(await texts()).to.include(other)
    await Promise.all(Array.from({ length: 999 }, (_, each) => fail(each + 1001)))
    await program.quiet()
    expect(await texts()).to.have.length.below(8)
    expect((await program.app.engine.store.openAlerts(3000)).items).to.have.length(2001)
    expect((await program.app.engine.store.conservation()).broken).to.equal(0)
  })
})
