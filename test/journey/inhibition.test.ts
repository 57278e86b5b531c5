import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { isPage } from '../support/is-page.ts'

const MINUTE = 60_000

describe('An alert that explains others', function () {
  this.timeout(60_000)
  let program: Harness
  afterEach(() => program.close())

  const run = async (config: Record<string, readonly unknown[]>) => {
    program = await harness({ config })
  }
  const texts = async (id = 'bob') => (await program.phone(id).messages('sms')).length
  const raise = (type: string, body: object = {}) =>
    program.raise(`alerts/critical/${type}`, body as Record<string, unknown>)
  const over = (type: string, body: object = {}) =>
    program.accepted(`alerts/critical/${type}`, { message: 'Over', status: 'resolved', ...body })
  const pageOf = async (id: string) =>
    (await program.deliveries(id)).filter(({ channel, userId }) => channel === 'sms' && userId === 'bob')

  describe('by a rule', () => {
    const RULE = {
      source: { type: 'temp_gateway' },
      target: { type: 'temp_sensor*' },
      equal: ['data.site'],
    }
    const at = (site: string, source: string) => ({ source, data: { site } })

    it('keeps them quiet and linked while it is open, and only those that it has the fields in common with (A7)', async () => {
      await run({ inhibit: [RULE] })
      const gateway = await raise('temp_gateway', at('a', 'gw'))
      const child = await raise('temp_sensor1', at('a', 's1'))
      const stranger = await raise('temp_sensor1', at('b', 's2'))
      await program.pass(MINUTE)
      expect(await program.alert(child)).to.include({
        status: 'suppressed',
        suppressedBy: `alert:${gateway}`,
      })
      expect((await program.alert(stranger)).status).to.equal('firing')
      expect(
        [await pageOf(gateway), await pageOf(child), await pageOf(stranger)].map((all) => all.length),
      ).to.deep.equal([1, 0, 1])
    })

    it('lets them page a while after it is over, if they are not over as well (A7)', async () => {
      await run({ inhibit: [RULE] })
      await raise('temp_gateway', at('a', 'gw'))
      const ending = await raise('temp_sensor1', at('a', 's1'))
      const lasting = await raise('temp_sensor2', at('a', 's2'))
      await over('temp_gateway', at('a', 'gw'))
      await program.pass(29_999)
      await over('temp_sensor1', at('a', 's1'))
      expect(await pageOf(lasting)).to.have.length(0)
      await program.pass(1)
      expect(await pageOf(lasting)).to.have.length(1)
      expect(await pageOf(ending)).to.have.length(0)
      expect((await program.alert(lasting)).status).to.equal('firing')
    })

    it('holds them again when it is back within that while', async () => {
      await run({ inhibit: [RULE] })
      await raise('temp_gateway', at('a', 'gw'))
      const child = await raise('temp_sensor1', at('a', 's1'))
      await over('temp_gateway', at('a', 'gw'))
      await program.pass(20_000)
      const again = await raise('temp_gateway', at('a', 'gw'))
      await program.pass(10 * MINUTE)
      expect(await program.alert(child)).to.include({ status: 'suppressed', suppressedBy: `alert:${again}` })
      expect(await pageOf(child)).to.have.length(0)
    })

    it('takes them with it when the rule says so', async () => {
      await run({ inhibit: [{ ...RULE, when_over: 'resolve' }] })
      await raise('temp_gateway', at('a', 'gw'))
      const child = await raise('temp_sensor1', at('a', 's1'))
      await over('temp_gateway', at('a', 'gw'))
      await program.pass(MINUTE)
      expect((await program.alert(child)).status).to.equal('resolved')
      expect(await pageOf(child)).to.have.length(0)
    })

    it('silences one that fires already: its policy goes no further', async () => {
      await run({ inhibit: [RULE] })
      const child = await raise('temp_sensor1', at('a', 's1'))
      await program.pass(4000)
      expect(await pageOf(child)).to.have.length(1)
      await raise('temp_gateway', at('a', 'gw'))
      await program.pass(10 * MINUTE)
      expect((await program.alert(child)).status).to.equal('suppressed')
      expect((await program.deliveries(child)).filter(({ userId }) => userId === 'cem')).to.deep.equal([])
    })

    it('frees what it held after a crash between its end and theirs', async () => {
      await run({ inhibit: [RULE] })
      const gateway = await raise('temp_gateway', at('a', 'gw'))
      const child = await raise('temp_sensor1', at('a', 's1'))
      await program.restart(MINUTE)
      expect((await program.alert(child)).status).to.equal('suppressed')
      const alert = await program.alert(gateway)
      await program.app.engine.store.changeAlert({
        tenant: alert.tenant,
        alertId: gateway,
        at: program.now,
        expectVersion: alert.version,
        alert: { ...alert, status: 'resolved', nextStepAt: null, version: alert.version + 1 },
        timeline: [],
        deliveries: [],
        notifications: [],
        claimed: null,
        cancelPages: 'resolved',
      })
      await program.restart()
      await program.pass(30_000)
      expect(await pageOf(child)).to.have.length(1)
    })

    it('never keeps one quiet that keeps it quiet: of two that explain each other one pages', async () => {
      await run({
        inhibit: [
          { source: { type: 'temp_a' }, target: { type: 'temp_b' } },
          { source: { type: 'temp_b' }, target: { type: 'temp_a' } },
        ],
      })
      await Promise.all(
        ['temp_a', 'temp_b'].map((type) => program.accepted(`alerts/critical/${type}`, { message: 'x' })),
      )
      await program.pass(MINUTE)
      const states = (await program.openAlerts()).map(({ status }) => status).toSorted()
      expect(states).to.deep.equal(['firing', 'suppressed'])
      expect(await texts()).to.equal(1)
    })
  })

  describe('by its place in the topic tree', () => {
    const TREE = { pattern: 'plant/{site}/gw', children: 'plant/{site}/#' }

    it('pages once for a gateway and the 200 behind it, whoever comes first; all are stored, linked, and none is lost (P7)', async () => {
      await run({ inhibit_tree: [TREE] })
      const children = Array.from({ length: 200 }, (_, each) => `plant/a/sensor/${each}`)
      const fail = (source: string) =>
        program.accepted('alerts/critical/temp_lost', { message: 'No signal', source })
      const early = await Promise.all(children.slice(0, 100).map(fail))
      await program.pass(1000)
      const gateway = await fail('plant/a/gw')
      await program.pass(1000)
      const late = await Promise.all(children.slice(100).map(fail))
      await program.pass(10 * MINUTE)
      const pages = (await program.phone('bob').messages('sms')).map(({ alertId }) => alertId)
      expect(new Set(pages)).to.deep.equal(new Set([gateway.alert_id]))
      const link = `alert:${String(gateway.alert_id)}`
      const held = (await program.openAlerts()).filter(({ suppressedBy }) => suppressedBy === link)
      expect(held).to.have.length(200)
      expect(new Set(held.map(({ id }) => id))).to.deep.equal(
        new Set([...early, ...late].map(({ alert_id: id }) => String(id))),
      )
      const { tenant } = program.app.engine.directory.user('anna')!
      expect((await program.app.engine.store.referring(tenant, link, 1)).count).to.equal(200)

      await Promise.all(
        children
          .slice(1)
          .map((source) =>
            program.accepted('alerts/critical/temp_lost', { message: 'x', source, status: 'resolved' }),
          ),
      )
      await over('temp_lost', { source: 'plant/a/gw' })
      await program.pass(MINUTE)
      const after = (await program.phone('bob').messages('sms')).slice(pages.length).filter(isPage)
      expect(after.map(({ alertId }) => alertId)).to.deep.equal([early[0]?.alert_id])
      expect((await program.app.engine.store.conservation()).broken).to.equal(0)
    })

    it('leaves other places alone, and what is more severe than itself', async () => {
      await run({ inhibit_tree: [TREE] })
      await program.raise('alerts/warning/temp_gw', { source: 'plant/a/gw' })
      const elsewhere = await raise('temp_lost', { source: 'plant/b/sensor/1' })
      const worse = await raise('temp_lost', { source: 'plant/a/sensor/1' })
      const outside = await raise('temp_lost', { source: 'office/1' })
      await program.pass(3000)
      for (const id of [elsewhere, worse, outside]) expect(await pageOf(id)).to.have.length(1)
    })

    it('makes what is behind it wait three seconds and not longer, and nothing else', async () => {
      await run({ inhibit_tree: [TREE] })
      const child = await raise('temp_lost', { source: 'plant/a/sensor/1' })
      const other = await raise('temp_lost', { source: 'office/1' })
      expect(await pageOf(other)).to.have.length(1)
      await program.pass(2999)
      expect(await pageOf(child)).to.have.length(0)
      await program.pass(1)
      expect(await pageOf(child)).to.have.length(1)
    })
  })
})
