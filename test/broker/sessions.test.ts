import { expect } from 'chai'
import { OFFLINE_MESSAGES } from '../../src/broker/session/outgoing-queue.ts'
import { OFFLINE_SESSIONS } from '../../src/broker/session/sessions.ts'
import { fakeClock } from '../support/fake-clock.ts'
import {
  connectPacket,
  eventually,
  publishPacket,
  startBroker,
  subscribePacket,
  type TestBroker,
} from './harness.ts'

const gone = (t: TestBroker, count = 0) => eventually(() => t.broker.connections === count)
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${from + index}`)

describe('a session', () => {
  let t: TestBroker
  afterEach(() => t.close())

  it('keeps messages above QoS 0 while its client is away and delivers them in order, then the new ones', async () => {
    t = await startBroker()
    const sub = await t.client('a', { clientId: 's', clean: false })
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    await sub.mqtt.endAsync()
    await gone(t)
    for (const text of numbers(0, 500)) t.broker.publish('x/y', text, { qos: 1 })
    t.broker.publish('x/y', 'lost', { qos: 0 })
    const again = await t.client('a', { clientId: 's', clean: false })
    for (const text of numbers(500, 510)) t.broker.publish('x/y', text, { qos: 1 })
    await again.got(510)
    expect(again.texts()).to.deep.equal(numbers(0, 510))
  })

  it('does not keep what is only of the moment, while its client is away or for later', async () => {
    t = await startBroker()
    const sub = await t.client('a', { clientId: 's', clean: false })
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    t.broker.publish('x/y', 'heard', { qos: 1, passing: true })
    await sub.got(1)
    await sub.mqtt.endAsync()
    await gone(t)
    t.broker.publish('x/y', 'missed', { qos: 1, passing: true })
    t.broker.publish('x/y', 'kept', { qos: 1 })
    const again = await t.client('a', { clientId: 's', clean: false })
    await again.got(1)
    expect([sub.texts(), again.texts()]).to.deep.equal([['heard'], ['kept']])
  })

  it('tells whether a principal hears a topic now: connected, subscribed and permitted', async () => {
    t = await startBroker()
    t.door.mayForward = ({ id }) => id !== 'mute'
    const hears = (id: string, topic = 'x/y') => t.broker.hears(id, topic)
    const sub = await t.client('a', { clientId: 's', clean: false })
    expect(hears('a')).to.equal(false)
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    const mute = await t.client('mute')
    await mute.mqtt.subscribeAsync('x/#', { qos: 1 })
    expect([hears('a'), hears('a', 'z'), hears('b'), hears('mute')]).to.deep.equal([
      true,
      false,
      false,
      false,
    ])
    await sub.mqtt.endAsync()
    await gone(t, 1)
    expect(hears('a')).to.equal(false)
  })

  it('keeps at most 1,000 of them, drops the oldest first and counts them (defect 7, P22)', async () => {
    t = await startBroker()
    const sub = await t.client('a', { clientId: 's', clean: false })
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    await sub.mqtt.endAsync()
    await gone(t)
    for (const text of numbers(0, 3000)) t.broker.publish('x/y', text, { qos: 1 })
    const again = await t.client('a', { clientId: 's', clean: false })
    await again.got(OFFLINE_MESSAGES)
    expect(again.texts()).to.deep.equal(numbers(2000, 3000))
    const drops = await t.metrics.drops.get()
    expect(drops.values.find(({ labels }) => labels['reason'] === 'offline_queue')?.value).to.equal(2000)
  })

  it('repeats what was not confirmed with DUP under the same identifier, and nothing that was (defect 7)', async () => {
    t = await startBroker()
    const raw = t.raw()
    raw.send(connectPacket('s', { clean: false }), subscribePacket(1, [['x/#', 1]]))
    await raw.got(9)
    for (const text of ['a', 'b', 'c']) t.broker.publish('x/y', text, { qos: 1 })
    const size = publishPacket('x/y', 'a', { qos: 1 }).length
    await raw.got(9 + 3 * size)
    raw.send('40020002')
    raw.send('c000')
    await raw.got(9 + 3 * size + 2)
    raw.socket.destroy()
    await gone(t)
    t.broker.publish('x/y', 'd', { qos: 1 })
    const again = t.raw()
    again.send(connectPacket('s', { clean: false }))
    const expected = Buffer.concat([
      Buffer.from('20020100', 'hex'),
      publishPacket('x/y', 'a', { qos: 1, id: 1, dup: true }),
      publishPacket('x/y', 'c', { qos: 1, id: 3, dup: true }),
      publishPacket('x/y', 'd', { qos: 1, id: 4 }),
    ])
    expect((await again.got(expected.length)).toString('hex')).to.equal(expected.toString('hex'))
  })

  it('goes on with a QoS 2 exchange where it was', async () => {
    t = await startBroker()
    const raw = t.raw()
    raw.send(connectPacket('s', { clean: false }), subscribePacket(1, [['x/#', 2]]))
    await raw.got(9)
    const pub = await t.client('pub')
    await pub.mqtt.publishAsync('x/y', 'm', { qos: 2 })
    const size = publishPacket('x/y', 'm', { qos: 2 }).length
    await raw.got(9 + size)
    raw.send('50020001')
    expect((await raw.got(9 + size + 4)).subarray(9 + size).toString('hex')).to.equal('62020001')
    raw.socket.destroy()
    await gone(t, 1)
    const again = t.raw()
    again.send(connectPacket('s', { clean: false }))
    expect((await again.got(8)).toString('hex')).to.equal('2002010062020001')
    again.send('70020001', 'c000')
    await again.got(10)
    again.socket.destroy()
    await gone(t, 1)
    const last = t.raw()
    last.send(connectPacket('s', { clean: false }), 'c000')
    expect((await last.got(6)).toString('hex')).to.equal('20020100d000')
  })

  it('sends at most a window of unconfirmed messages, and the rest as confirmations come (defect 7)', async () => {
    t = await startBroker()
    const raw = t.raw()
    raw.send(connectPacket('s'), subscribePacket(1, [['x/#', 1]]))
    await raw.got(9)
    for (const text of numbers(10_000, 13_000)) t.broker.publish('x/y', text, { qos: 1 })
    const size = publishPacket('x/y', '10000', { qos: 1 }).length
    await raw.got(9 + 1000 * size)
    raw.send('c000')
    expect(await raw.got(9 + 1000 * size + 2), 'no more than the window').to.have.length(9 + 1000 * size + 2)
    raw.send('40020001', '40020002')
    await raw.got(9 + 1002 * size + 2)
    raw.send('c000')
    expect(await raw.got(9 + 1002 * size + 4)).to.have.length(9 + 1002 * size + 4)
  })

  it('says session present whether or not it has subscriptions, and not after a clean one (defect 8)', async () => {
    t = await startBroker()
    const present = async (clean: boolean) => {
      const client = await t.client('a', { clientId: 's', clean })
      await client.mqtt.endAsync()
      await gone(t)
      return client.sessionPresent
    }
    expect([
      await present(false),
      await present(false),
      await present(true),
      await present(false),
      await present(false),
    ]).to.deep.equal([false, true, false, false, true])
  })

  it('belongs to its principal: another one with the same client id neither ends nor inherits it (A9, security 12)', async () => {
    t = await startBroker()
    const anna = await t.client('anna', { clientId: 'phone', clean: false })
    await anna.mqtt.subscribeAsync('x/#', { qos: 1 })
    const eve = await t.client('eve', { clientId: 'phone', clean: false })
    expect(eve.sessionPresent).to.equal(false)
    t.broker.publish('x/1', 'for anna', { qos: 1 })
    await anna.got(1)
    await anna.mqtt.endAsync()
    t.broker.publish('x/1', 'queued for anna', { qos: 1 })
    const clean = await t.client('eve', { clientId: 'phone', clean: true })
    await clean.mqtt.subscribeAsync('other')
    const back = await t.client('anna', { clientId: 'phone', clean: false })
    await back.got(1)
    expect(back.texts()).to.deep.equal(['queued for anna'])
    expect(eve.messages).to.deep.equal([])
  })

  it('is not touched by a wrong password, even with a client id that spells another one', async () => {
    t = await startBroker()
    const anna = await t.client('anna', { clientId: 'phone' })
    for (const clientId of ['phone', 'anna/phone', '?'])
      for (const clean of [true, false]) {
        const raw = t.raw()
        raw.send(connectPacket(clientId, { username: 'anna', password: 'bad', clean }))
        await raw.closed
        expect(raw.bytes().toString('hex')).to.equal('20020004')
      }
    const eve = await t.client('eve', { clientId: 'anna/phone' })
    await anna.mqtt.subscribeAsync('x')
    t.broker.publish('x', 'still here')
    await anna.got(1)
    expect(eve.mqtt.connected).to.equal(true)
  })

  it('is taken over by its own principal under the same client id, and the old connection ends', async () => {
    t = await startBroker()
    const first = await t.client('anna', { clientId: 'phone', clean: false })
    await first.mqtt.subscribeAsync('x', { qos: 1 })
    const closed = new Promise((resolve) => first.mqtt.once('close', () => resolve(true)))
    const second = await t.client('anna', { clientId: 'phone', clean: false })
    expect(await closed).to.equal(true)
    expect(second.sessionPresent).to.equal(true)
    await gone(t, 1)
    t.broker.publish('x', 'm', { qos: 1 })
    await second.got(1)
  })

  it('can be taken over again after a reconnect that met the closing old connection', async () => {
    t = await startBroker()
    for (let round = 0; round < 30; round++) {
      const raw = t.raw()
      raw.send(connectPacket('same', { clean: false }))
      await raw.got(4)
      if (round % 2 === 0) raw.socket.destroy()
    }
    const last = t.raw()
    last.send(connectPacket('same', { clean: false }))
    await last.got(4)
    await gone(t, 1)
    const next = t.raw()
    next.send(connectPacket('same', { clean: false }))
    await last.closed
    await gone(t, 1)
  })

  it('that is taken over too often in a minute is held off for 60 s (security 12)', async () => {
    const clock = fakeClock()
    t = await startBroker({ clock, limits: { takeovers: 3 } })
    const connect = async () => {
      const raw = t.raw()
      raw.send(connectPacket('same'))
      return { raw, code: (await raw.got(4))[3] }
    }
    const codes: (number | undefined)[] = []
    for (let round = 0; round < 6; round++) codes.push((await connect()).code)
    expect(codes).to.deep.equal([0, 0, 0, 0, 2, 2])
    await gone(t, 1)
    expect(t.log.some(({ msg }) => msg.includes('taken over too often'))).to.equal(true)
    await clock.pass(60_000)
    expect((await connect()).code).to.equal(0)
  })

  it('without a connection ends after seven days, and beyond twenty of one principal (security 17)', async () => {
    const clock = fakeClock()
    t = await startBroker({ clock })
    const leave = async (username: string, clientId: string) => {
      const raw = t.raw()
      raw.send(
        connectPacket(clientId, { username, clean: false }),
        subscribePacket(1, [[`x/${clientId}`, 1]]),
      )
      await raw.got(9)
      raw.socket.destroy()
      await gone(t)
    }
    await leave('old', 'old')
    await clock.pass(7 * 24 * 60 * 60 * 1000 - 1)
    await leave('many', 'm0')
    expect(t.broker.wanted('x/old')).to.equal(true)
    await clock.pass(1)
    for (let index = 1; index <= OFFLINE_SESSIONS; index++) await leave('many', `m${index}`)
    expect(t.broker.wanted('x/old')).to.equal(false)
    expect(t.broker.wanted('x/m0')).to.equal(false)
    expect(t.broker.wanted('x/m1')).to.equal(true)
  })

  it('ends with its connection when the access of its principal is revoked (security 8)', async () => {
    t = await startBroker()
    const away = await t.client('eve', { clientId: 'away', clean: false })
    await away.mqtt.subscribeAsync('x/away', { qos: 1 })
    await away.mqtt.endAsync()
    const here = await t.client('eve', { clientId: 'here', clean: false })
    await here.mqtt.subscribeAsync('x/here', { qos: 1 })
    const closed = new Promise((resolve) => here.mqtt.once('close', () => resolve(true)))
    await gone(t, 1)
    t.broker.revoke('eve')
    expect(await closed).to.equal(true)
    await gone(t)
    expect(t.broker.wanted('x/away')).to.equal(false)
    expect(t.broker.wanted('x/here')).to.equal(false)
  })
})
