import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'

const MINUTE = 60_000
const PLATFORM = {
  schedule: { layers: [{ rotate: ['bob'] }] },
  escalation: { steps: [{ notify: ['oncall'], wait: '5m' }] },
}
const CEM = 'notifications/realtime/user/cem'

describe('Somebody who would get too many messages', function () {
  this.timeout(60_000)
  let program: Harness
  afterEach(() => program.close())

  const run = async (config: object = {}) => {
    program = await harness({
      config: {
        users: {
          cem: { name: 'Cem', password: 'cem-password', phone: '+4915112345673', preferences: { sms: true } },
        },
        clients: {
          shop: {
            token: 'shop-token',
            publish: ['notifications/#'],
            rate_limit: { max_requests: 5000, window_seconds: 60 },
          },
        },
        ...config,
      },
    })
  }
  const texts = async (userId = 'cem', channel: 'sms' | 'email' = 'sms') =>
    (await program.phone(userId).messages(channel)).map(({ text }) => text)
  const say = (message: string, more: object = {}) =>
    program.accepted(CEM, { message, title: 'Order', priority: 'critical', ...more }, { as: 'shop' })
  const conserved = async () => (await program.app.engine.store.conservation()).broken

  it('gets five text messages of a thousand and one summary that counts the rest; the inbox has all (P11, E11)', async () => {
    await run()
    const results = await Promise.all(Array.from({ length: 1000 }, (_, each) => say(`Message ${each}`)))
    await program.pass(10_000)
    expect(await texts()).to.have.length(5)
    await program.pass(20_000)
    const all = await texts()
    expect(all).to.have.length(6)
    expect(all[5]).to.match(/^995 messages held back since \d\d:\d\d: 995 notifications \(Order\)\. http/)
    expect((await program.unread('cem')).unread).to.equal(1000)
    const rows = await Promise.all(results.map(({ notification_id: id }) => program.deliveries(String(id))))
    const held = rows.flat().filter(({ channel, state }) => channel === 'sms' && state === 'suppressed')
    expect(held).to.have.length(995)
    expect(new Set(held.map(({ reason, digestId }) => `${reason} ${digestId}`))).to.have.length(1)
    const { items } = await program.app.engine.store.deliveries({
      tenant: program.app.engine.directory.user('cem')!.tenant,
      digestId: held[0]!.digestId!,
      limit: 1000,
    })
    expect(items).to.have.length(995)
    expect(await conserved()).to.equal(0)
  })

  it('gets the page of another service at once while 300 alerts of one wait for the same phone (E10)', async () => {
    program = await harness({
      config: { teams: { platform: { ...PLATFORM, alert_types: ['disk_*', 'door_*'] } } },
    })
    const raise = (type: string, source: string) =>
      program.accepted(`alerts/critical/${type}`, { message: `${type} ${source}`, source })
    await Promise.all(Array.from({ length: 300 }, (_, each) => raise('disk_full', `db${each}`)))
    await raise('door_open', 'gate')
    await program.quiet()
    const all = await texts('bob')
    const doors = all.filter((text) => text.includes('door_open'))
    expect(all.length, 'of the flood only what the budget allows').to.be.at.most(6)
    expect(doors, 'told by itself').to.have.length(1)
    expect(doors[0]).to.not.include('held back')
    // And once more when the flood fills its phone to the brim and is behind it.
    await raise('door_forced', 'gate')
    await program.quiet()
    expect((await texts('bob')).at(-1)).to.include('door_forced')
    expect(await conserved()).to.equal(0)
  })

  it('gets single messages again when the window has passed, and one summary a window in a storm that lasts', async () => {
    await run()
    for (let minute = 0; minute < 40; minute++) {
      await say(`In minute ${minute}`)
      await say(`Also in minute ${minute}`)
      await program.pass(MINUTE)
    }
    const all = await texts()
    const summaries = all.filter((text) => text.includes('held back'))
    // The first summary stood for one message, and was that message.
    expect(summaries).to.have.length(2)
    expect(all).to.have.length(12)
    await program.pass(60 * MINUTE)
    const later = await texts()
    const told = later
      .map((text) => Number(/^(\d+) messages held back/.exec(text)?.[1] ?? 1))
      .reduce((sum, each) => sum + each, 0)
    expect(told, 'every message was sent or counted').to.equal(80)
    await say('And now')
    await program.quiet()
    expect((await texts()).at(-1)).to.equal('Order: And now')
    expect(await conserved()).to.equal(0)
  })

  it('is paged at once for a critical alert of another type, whatever came before (P11)', async () => {
    await run({
      users: {
        bob: {
          name: 'Bob',
          password: 'bob-password',
          phone: '+4915112345672',
          contact_rules: { critical: [{ via: ['sms'] }] },
        },
      },
    })
    for (let each = 0; each < 8; each++)
      await program.raise('alerts/critical/system_failure', { source: `db-${each}` })
    expect(await texts('bob')).to.have.length(5)
    await program.raise('alerts/critical/temp_cellar', { message: 'Frost' })
    expect((await texts('bob')).at(-1)).to.include('temp_cellar')
    await program.raise('alerts/critical/temp_cellar', { message: 'Frost', source: 'other' })
    expect(await texts('bob')).to.have.length(6)
    await program.pass(20_000)
    expect((await texts('bob')).at(-1)).to.match(
      /^4 messages held back since .*: 4 alerts \(3 system_failure, 1 temp_cellar\)\. Answer aa/,
    )
  })

  it('acknowledges everything that a summary stands for with one answer (E12)', async () => {
    await run({
      users: {
        bob: {
          name: 'Bob',
          password: 'bob-password',
          phone: '+4915112345672',
          contact_rules: { critical: [{ via: ['sms'] }] },
        },
      },
    })
    const ids: string[] = []
    for (let each = 0; each < 9; each++)
      ids.push(await program.raise('alerts/critical/system_failure', { source: `db-${each}` }))
    await program.pass(20_000)
    const summary = (await program.phone('bob').messages('sms')).at(-1)!
    expect(summary.actions).to.deep.equal([{ id: 'ack', label: 'Acknowledge all' }])
    const by = program.app.engine.directory.principal('anna')!
    await program.app.engine.replyToOutbox(by, summary.id, { text: 'ack' })
    const states = await Promise.all(ids.map(async (id) => (await program.alert(id)).status))
    expect(states).to.deep.equal([
      ...Array<string>(5).fill('firing'),
      ...Array<string>(4).fill('acknowledged'),
    ])
  })

  it('is not told of what somebody has taken care of before the summary went out (O11, P15)', async () => {
    await run({
      users: {
        bob: {
          name: 'Bob',
          password: 'bob-password',
          phone: '+4915112345672',
          contact_rules: { critical: [{ via: ['sms'] }] },
        },
      },
    })
    const ids: string[] = []
    for (let each = 0; each < 7; each++)
      ids.push(await program.raise('alerts/critical/system_failure', { source: `db-${each}` }))
    for (const id of ids) await program.accepted(`alerts/${id}/ack`, {}, { as: 'anna' })
    await program.pass(5 * MINUTE)
    const [, , , , , summary, ...more] = await texts('bob')
    // Bob hears of what had paged him; the two that had not are left out.
    expect(summary).to.include('5 alerts acknowledged').and.not.include('aa')
    expect(more).to.deep.equal([])
    expect(await conserved()).to.equal(0)
  })

  it('hands its alerts on at once when the summary that stood for their pages is given up (P7)', async () => {
    await run({
      users: {
        anna: { password: 'anna-password', roles: ['user', 'admin'] },
        bob: {
          name: 'Bob',
          password: 'bob-password',
          phone: '+4915112345672',
          contact_rules: { critical: [{ via: ['sms'] }] },
        },
      },
    })
    const ids: string[] = []
    for (let each = 0; each < 6; each++)
      ids.push(await program.raise('alerts/critical/system_failure', { source: `db-${each}` }))
    const { chaos, directory } = program.app.engine
    chaos.set(directory.user('bob')!.tenant, new Map([['sms', { failRate: 1, delayMs: 0, status: 400 }]]))
    await program.pass(21_000)
    const steps = await Promise.all(ids.map(async (id) => (await program.alert(id)).step))
    expect(steps).to.deep.equal([1, 1, 1, 1, 1, 2])
  })

  it('keeps counts and what is held over a restart', async () => {
    await run()
    for (let each = 0; each < 7; each++) await say(`Message ${each}`)
    await program.quiet()
    expect(await texts()).to.have.length(5)
    await program.restart(10_000)
    await say('After the restart')
    await program.quiet()
    expect(await texts()).to.have.length(5)
    await program.pass(20_000)
    expect((await texts()).at(-1)).to.match(/^3 messages held back/)
    expect(await texts()).to.have.length(6)
  })

  it('gets the summary where they are reached when it is sent, not where the first message was going', async () => {
    const cem = (phone: string, email: string) => ({
      users: { cem: { password: 'cem-password', phone, email, preferences: { sms: true } } },
      digests: [{ event: 'order.*', window: '1h' }],
    })
    await run(cem('+4915112345673', 'old@example.org'))
    for (let each = 0; each < 7; each++) await say('Hi')
    for (let each = 0; each < 3; each++) await say('Hi', { event: 'order.sent', priority: 'high' })
    await program.quiet()
    program.reconfigure(cem('+4915112345679', 'new@example.org'))
    await program.pass(60 * MINUTE)
    const sent = async (channel: 'sms' | 'email') => (await program.phone('cem').messages(channel)).at(-1)
    expect(await sent('sms')).to.include({ address: '+4915112345679' })
    expect((await sent('sms'))?.text).to.match(/^2 messages held back/)
    expect(await sent('email')).to.include({ address: 'new@example.org' })
    expect((await sent('email'))?.text).to.match(/^3 messages held back/)
    expect(await conserved()).to.equal(0)
  })

  it('gets what is gathered as one message per window and key, the first at once where it is wanted (P1)', async () => {
    await run({
      users: { cem: { name: 'Cem', password: 'cem-password', email: 'cem@example.org' } },
      digests: [
        { event: 'order.*', window: '1h', by: 'order' },
        { event: 'news', window: '10m', first: 'send' },
      ],
    })
    const mail = (event: string, data: object = {}) =>
      program.accepted(CEM, { message: 'Text', title: event, priority: 'high', event, data })
    for (const order of ['a', 'b', 'a', 'a']) await mail('order.changed', { order })
    await mail('other')
    await program.quiet()
    expect(await texts('cem', 'email')).to.have.length(1)
    await program.pass(60 * MINUTE)
    const [, ...gathered] = await texts('cem', 'email')
    expect(gathered).to.have.length(2)
    expect(gathered.filter((text) => text.includes('3 messages held back'))).to.have.length(1)
    for (let each = 0; each < 3; each++) await mail('news')
    await program.quiet()
    expect(await texts('cem', 'email')).to.have.length(4)
    await program.pass(10 * MINUTE)
    expect((await texts('cem', 'email')).at(-1)).to.include('2 messages held back')
    expect(await texts('cem', 'email')).to.have.length(5)
    expect(await conserved()).to.equal(0)
  })
})
