import { expect } from 'chai'
import { fakeSink } from '../support/fake-sink.ts'
import { liveHarness, NOTHING, person, UNREAD } from './harness.ts'

describe('the live unread count', () => {
  it('is told on connecting and after each change, retained and counted from the inbox (fault 6)', async () => {
    const { inbox, clock, live, publish, settle } = liveHarness()
    inbox.commit({ to: 'anna' })
    inbox.commit({ to: 'anna' })
    const sink = fakeSink()
    live.attach(person('anna'), UNREAD, sink)
    await settle()
    expect(sink.frames).to.deep.equal([
      {
        kind: 'unread',
        topic: 'users/anna/unread',
        payload: '{"total":2,"unread":2,"version":2}',
        retain: true,
      },
    ])
    sink.confirmAll()
    publish({})
    await clock.pass(50)
    sink.confirmAll()
    inbox.markRead('anna', 'n1')
    live.changed('anna')
    await clock.pass(50)
    expect(sink.of('unread').slice(1)).to.deep.equal([
      { total: 3, unread: 3, version: 3 },
      { total: 3, unread: 2, version: 4 },
    ])
  })

  it('is read at most once in 50 ms per person, and the last state always goes out', async () => {
    const { inbox, clock, live, publish, settle } = liveHarness()
    const sink = fakeSink()
    live.attach(person('anna'), UNREAD, sink)
    await settle()
    for (let count = 0; count < 1000; count += 1) publish({ to: 'anna' })
    await settle()
    expect(inbox.summaries).to.have.length(1)
    sink.confirmAll()
    await clock.pass(49)
    expect(inbox.summaries).to.have.length(1)
    await clock.pass(1)
    expect(inbox.summaries).to.have.length(2)
    expect(sink.of('unread').at(-1)).to.include({ total: 1000, unread: 1000 })
  })

  it('is read again when something changes during a read', async () => {
    const { inbox, clock, live, publish, settle } = liveHarness()
    inbox.hold(true)
    const sink = fakeSink()
    live.attach(person('anna'), UNREAD, sink)
    await settle()
    publish({ to: 'anna' })
    expect(inbox.waiting).to.equal(1)
    inbox.answer(0, 'early')
    await clock.pass(50)
    sink.confirmAll()
    inbox.answer(0, 'late')
    await settle()
    expect(sink.of('unread')).to.deep.equal([
      { total: 0, unread: 0, version: 0 },
      { total: 1, unread: 1, version: 1 },
    ])
  })

  it('does not repeat an unchanged state to a connection, but tells it when it is wanted anew', async () => {
    const { clock, live, settle } = liveHarness()
    const sink = fakeSink()
    const attachment = live.attach(person('anna'), UNREAD, sink)
    await settle()
    sink.confirmAll()
    live.changed('anna')
    await clock.pass(50)
    expect(sink.frames).to.have.length(1)
    attachment.want(NOTHING)
    attachment.want(UNREAD)
    await clock.pass(50)
    expect(sink.frames).to.have.length(2)
  })

  it('skips to the latest state for a connection that is slow to confirm or has no room (P22)', async () => {
    const { clock, live, publish, settle } = liveHarness()
    const sink = fakeSink()
    const attachment = live.attach(person('anna'), UNREAD, sink)
    await settle()
    for (let count = 0; count < 3; count += 1) {
      publish({ to: 'anna' })
      await clock.pass(50)
    }
    expect(sink.frames).to.have.length(1)
    sink.room = 0
    sink.confirmAll()
    sink.room = 1
    attachment.roomy()
    expect(sink.of('unread').map((summary) => summary['unread'])).to.deep.equal([0, 3])
  })

  it('asks a store that failed again after a while', async () => {
    const { inbox, clock, live, settle } = liveHarness()
    inbox.fail(1)
    const sink = fakeSink()
    live.attach(person('anna'), UNREAD, sink)
    await settle()
    expect(sink.frames).to.deep.equal([])
    await clock.pass(100)
    expect(sink.frames).to.have.length(1)
  })

  it('leaves no timer behind when nobody watches any more', async () => {
    const { clock, live, publish, settle } = liveHarness()
    const attachment = live.attach(person('anna'), UNREAD, fakeSink())
    await settle()
    publish({ to: 'anna' })
    expect(clock.waiting).to.have.length(1)
    attachment.detach()
    expect(clock.waiting).to.deep.equal([])
  })
})
