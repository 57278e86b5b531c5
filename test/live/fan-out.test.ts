import { expect } from 'chai'
import type { TenantId } from '../../src/access/principal.ts'
import { fakeSink } from '../support/fake-sink.ts'
import { ALL, liveHarness, NOTHING, NOTIFICATIONS, person } from './harness.ts'

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe('the live fan-out of notifications', () => {
  it('tells a person who connects everything unread in the order of the inbox, and then what comes (R18, R26)', async () => {
    const { inbox, live, publish, settle } = liveHarness()
    for (const _ of range(1, 30)) inbox.commit({ to: 'anna' })
    inbox.markRead('anna', 'n7')
    const sink = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    publish({ to: 'anna' })
    publish({ to: 'bob' })
    expect(sink.numbers).to.deep.equal([...range(1, 6), ...range(8, 31)])
    expect(sink.frames[0]).to.include({
      kind: 'notification',
      topic: 'users/anna/notifications',
      retain: false,
    })
  })

  it('tells far more than the newest ten, and more than one page (fault 5)', async () => {
    const { inbox, live, settle } = liveHarness()
    for (const _ of range(1, 350)) inbox.commit({ to: 'anna' })
    const sink = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, sink)
    for (const _ of range(1, 10)) {
      await settle()
      sink.confirmAll()
    }
    expect(sink.numbers).to.deep.equal(range(1, 350))
    expect(sink.peak).to.equal(100)
  })

  it('leaves no gap and makes no double between what is read and what is stored meanwhile', async () => {
    const { inbox, live, publish, settle } = liveHarness()
    inbox.hold(true)
    inbox.commit({ to: 'anna' })
    const sink = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    const second = inbox.commit({ to: 'anna' })
    live.stored(second)
    const third = inbox.commit({ to: 'anna' })
    inbox.answer(0, 'late')
    await settle()
    live.stored(third)
    inbox.answer(0, 'late')
    await settle()
    publish({ to: 'anna' })
    expect(sink.numbers).to.deep.equal([1, 2, 3, 4])
  })

  it('sends one encoding of a broadcast to everybody it is for and to nobody else (R21, decision 5)', async () => {
    let encodings = 0
    const { live, publish, settle } = liveHarness({
      wireNotification: (notification) => {
        encodings += 1
        return { message: notification.content.message }
      },
    })
    const inOps = Array.from({ length: 3 }, () => fakeSink())
    inOps.forEach((sink, index) => live.attach(person(`ops${index}`, 'ops'), NOTIFICATIONS, sink))
    const outside = fakeSink()
    live.attach(person('guest'), NOTIFICATIONS, outside)
    const foreign = fakeSink()
    live.attach({ ...person('eve', 'ops'), tenant: 'acme' as TenantId }, NOTIFICATIONS, foreign)
    await settle()
    publish({ audience: ['ops'] })
    expect(inOps.map((sink) => sink.numbers)).to.deep.equal([[1], [1], [1]])
    expect(inOps.map((sink) => sink.frames[0]?.topic)).to.deep.equal([
      'users/ops0/notifications',
      'users/ops1/notifications',
      'users/ops2/notifications',
    ])
    expect([...outside.frames, ...foreign.frames]).to.deep.equal([])
    expect(encodings).to.equal(1)
  })

  it('keeps the order of the inbox when a personal notification is stored while a broadcast goes round (P5)', async () => {
    const { live, publish, settle } = liveHarness()
    const sinks = Array.from({ length: 1600 }, () => fakeSink())
    sinks.forEach((sink, index) => live.attach(person(`user${index}`), NOTIFICATIONS, sink))
    await settle()
    publish({})
    expect(sinks[1599]?.numbers, 'the last of 1600 is not served in the first turn').to.deep.equal([])
    publish({ to: 'user1599' })
    publish({})
    await settle()
    expect(sinks[0]?.numbers).to.deep.equal([1, 3])
    expect(sinks[1599]?.numbers).to.deep.equal([1, 2, 3])
    expect(sinks.filter((sink) => sink.numbers.length >= 2)).to.have.length(1600)
  })

  it('never has more than 100 notifications unconfirmed, and goes on as they are confirmed (P22)', async () => {
    const { live, publish, settle } = liveHarness()
    const sink = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    for (const _ of range(1, 250)) publish({ to: 'anna' })
    await settle()
    expect(sink.numbers).to.deep.equal(range(1, 100))
    sink.confirmAll()
    await settle()
    sink.confirmAll()
    await settle()
    sink.confirmAll()
    await settle()
    expect(sink.numbers).to.deep.equal(range(1, 250))
    expect(sink.peak).to.equal(100)
  })

  it('waits for a connection without room and reads on when it has some, holding nothing for it (P22)', async () => {
    const { inbox, live, publish, settle } = liveHarness()
    const sink = fakeSink({ room: 3 })
    const attachment = live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    for (const _ of range(1, 20)) publish({ to: 'anna' })
    await settle()
    expect(sink.numbers).to.deep.equal([1, 2, 3])
    const before = inbox.queries.length
    inbox.markRead('anna', 'n5')
    sink.room = Infinity
    attachment.roomy()
    await settle()
    expect(sink.numbers, 'what was read elsewhere meanwhile is not told any more').to.deep.equal([
      1,
      2,
      3,
      4,
      ...range(6, 20),
    ])
    expect(inbox.queries.length - before).to.be.lessThan(3)
  })

  it('reads few entries more than a narrow connection takes', async () => {
    const { inbox, live, settle } = liveHarness()
    for (const _ of range(1, 200)) inbox.commit({ to: 'anna' })
    const sink = fakeSink({ room: 0 })
    const attachment = live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    while (sink.numbers.length < 200) {
      sink.confirmAll()
      sink.room = 1
      attachment.roomy()
      await settle()
    }
    const asked = inbox.queries.reduce((sum, query) => sum + query.limit, 0)
    expect(sink.numbers).to.deep.equal(range(1, 200))
    expect(asked).to.be.lessThan(1000)
  })

  it('does not tell the same notification twice when the wish for them goes and comes back', async () => {
    const { live, publish, settle } = liveHarness()
    const sink = fakeSink()
    const attachment = live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    publish({ to: 'anna' })
    attachment.want(NOTHING)
    publish({ to: 'anna' })
    await settle()
    expect(sink.numbers).to.deep.equal([1])
    attachment.want(NOTIFICATIONS)
    await settle()
    expect(sink.numbers).to.deep.equal([1, 2])
  })

  it('tells the unread ones again on each new connection until they are seen, and none that were seen (R26)', async () => {
    const { inbox, live, publish, settle } = liveHarness()
    const first = fakeSink()
    const attachment = live.attach(person('anna'), NOTIFICATIONS, first)
    await settle()
    publish({ to: 'anna' })
    publish({ to: 'anna' })
    inbox.markRead('anna', 'n1')
    attachment.detach()
    publish({ to: 'anna' })
    expect(first.numbers).to.deep.equal([1, 2])
    const second = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, second)
    await settle()
    expect(second.numbers).to.deep.equal([2, 3])
  })

  it('reaches every connection of a person (R27)', async () => {
    const { live, publish, settle } = liveHarness()
    const sinks = [fakeSink(), fakeSink({ proves: false }), fakeSink()]
    sinks.forEach((sink) => live.attach(person('anna'), NOTIFICATIONS, sink))
    await settle()
    publish({ to: 'anna' })
    expect(sinks.map((sink) => sink.numbers)).to.deep.equal([[1], [1], [1]])
  })

  it('passes by what the person does not want on realtime, and what has outlived its time (R19, fault 6)', async () => {
    const { inbox, clock, live, publish, settle } = liveHarness()
    inbox.commit({ to: 'anna', content: { channels: ['email'] } })
    inbox.commit({ to: 'anna', content: { expiresAt: clock.now() } })
    inbox.commit({ to: 'anna' })
    const sink = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    publish({ to: 'anna', content: { channels: [] } })
    publish({ to: 'anna', content: { expiresAt: clock.now() + 1 } })
    expect(sink.numbers).to.deep.equal([3, 5])
  })

  it('knows who is online by their wish for notifications', async () => {
    const { live } = liveHarness()
    expect(live.online('anna')).to.equal(false)
    const one = live.attach(person('anna'), { ...ALL, notifications: false }, fakeSink())
    expect(live.online('anna')).to.equal(false)
    const two = live.attach(person('anna'), NOTIFICATIONS, fakeSink())
    one.want(ALL)
    two.detach()
    two.detach()
    expect(live.online('anna')).to.equal(true)
    one.want({ ...ALL, notifications: false })
    expect(live.online('anna')).to.equal(false)
    one.want(ALL)
    one.detach()
    expect(live.online('anna')).to.equal(false)
  })

  it('costs no encoding, no read and no write for people who are not connected', async () => {
    let encodings = 0
    const { inbox, live, publish, settle } = liveHarness({ wireNotification: () => (encodings += 1) })
    live.attach(person('bob'), NOTHING, fakeSink())
    await settle()
    publish({ to: 'anna' })
    publish({ to: 'bob' })
    live.changed('anna')
    await settle()
    expect({
      encodings,
      reads: inbox.queries.length + inbox.summaries.length,
      steps: inbox.steps,
    }).to.deep.equal({ encodings: 0, reads: 0, steps: [] })
  })
})

describe('the live fan-out in trouble', () => {
  it('asks a store that failed again, ever more slowly, and complains once in five seconds', async () => {
    const { inbox, clock, live, lines, settle } = liveHarness()
    inbox.commit({ to: 'anna' })
    inbox.fail(6)
    const sinks = [fakeSink(), fakeSink(), fakeSink()]
    sinks.forEach((sink) => live.attach(person('anna'), NOTIFICATIONS, sink))
    await settle()
    expect(clock.waiting.map((at) => at - clock.now())).to.deep.equal([100, 100, 100])
    await clock.pass(100)
    expect(clock.waiting.map((at) => at - clock.now())).to.deep.equal([200, 200, 200])
    await clock.pass(200)
    await settle()
    expect(sinks.map((sink) => sink.numbers)).to.deep.equal([[1], [1], [1]])
    expect(lines.filter((line) => line.level === 40)).to.have.length(1)
  })

  it('stops asking when the connection ends', async () => {
    const { inbox, clock, live, settle } = liveHarness()
    inbox.fail(1)
    const attachment = live.attach(person('anna'), NOTIFICATIONS, fakeSink())
    await settle()
    attachment.detach()
    expect(clock.waiting).to.deep.equal([])
  })

  it('lets a connection go that throws, and serves the others', async () => {
    const { live, lines, publish, settle } = liveHarness()
    const broken = fakeSink()
    const sound = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, broken)
    live.attach(person('anna'), NOTIFICATIONS, sound)
    await settle()
    broken.onSend = () => {
      throw new Error('socket hang up')
    }
    publish({ to: 'anna' })
    broken.onSend = null
    publish({ to: 'anna' })
    expect(sound.numbers).to.deep.equal([1, 2])
    expect(broken.numbers).to.deep.equal([])
    expect(lines.some((line) => line['user'] === 'anna')).to.equal(true)
  })

  it('passes by a notification that cannot be encoded instead of standing still before it (P10)', async () => {
    const { inbox, live, lines, publish, settle } = liveHarness({
      wireNotification: (notification) => {
        if (notification.id === 'n2') throw new Error('no such field')
        return { message: notification.content.message }
      },
    })
    for (const _ of range(1, 3)) inbox.commit({ to: 'anna' })
    const sink = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    publish({ to: 'anna' })
    expect(sink.numbers).to.deep.equal([1, 3, 4])
    expect(lines.some((line) => line['id'] === 'n2')).to.equal(true)
  })

  it('survives a connection that confirms, makes room and changes its wishes while it is sent to', async () => {
    const { inbox, live, publish, settle } = liveHarness()
    for (const _ of range(1, 5)) inbox.commit({ to: 'anna' })
    const sink = fakeSink()
    const attachment = live.attach(person('anna'), NOTIFICATIONS, sink)
    sink.onSend = () => {
      sink.confirmAll()
      attachment.roomy()
      attachment.want(NOTHING)
      attachment.want(NOTIFICATIONS)
    }
    await settle()
    publish({ to: 'anna' })
    publish({ to: 'anna' })
    await settle()
    expect(sink.numbers).to.deep.equal(range(1, 7))
  })

  it('is silent after it was closed', async () => {
    const { clock, live, publish, settle } = liveHarness()
    const sink = fakeSink()
    live.attach(person('anna'), ALL, sink)
    await settle()
    const before = sink.frames.length
    live.close()
    publish({ to: 'anna' })
    publish({})
    live.attach(person('anna'), ALL, sink)
    await clock.pass(60_000)
    expect(sink.frames.length).to.equal(before)
    expect(clock.waiting).to.deep.equal([])
    expect(live.online('anna')).to.equal(false)
  })
})
