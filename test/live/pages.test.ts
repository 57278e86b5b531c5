import { expect } from 'chai'
import type { Alert } from '../../src/alert/alert.ts'
import { MissedPages } from '../../src/live/missed-pages.ts'
import { fakeSink } from '../support/fake-sink.ts'
import { sampleAlert } from '../support/sample-alert.ts'
import { ALERTS, ALL, liveHarness, NOTHING, person } from './harness.ts'

const ids = (sink: ReturnType<typeof fakeSink>) =>
  sink.of('alert').map((payload) => (payload['alert'] as { id: string }).id)

describe('pages on live connections', () => {
  it('go out at once, in the shape of R23, while the inbox still waits for room', async () => {
    const { inbox, live, settle } = liveHarness()
    for (let count = 0; count < 150; count += 1) inbox.commit({ to: 'anna' })
    const sink = fakeSink()
    live.attach(person('anna'), ALL, sink)
    await settle()
    live.page(sampleAlert(), 'anna')
    live.page(sampleAlert({ id: 'a2' }), 'bob')
    expect(sink.frames.at(-1)).to.deep.equal({
      kind: 'alert',
      topic: 'users/anna/alerts',
      payload: '{"type":"critical_alert","alert":{"id":"a1"},"requires_acknowledgment":true}',
      retain: false,
    })
    expect(sink.numbers).to.have.length(100)
    expect(ids(sink)).to.deep.equal(['a1'])
  })

  it('that are still open are told to a person who connects, before the inbox', async () => {
    const { inbox, live, openAlerts, settle } = liveHarness()
    inbox.commit({ to: 'anna' })
    const others: Alert[] = [
      sampleAlert({ id: 'acked', status: 'acknowledged' }),
      sampleAlert({ id: 'by-mail', told: { anna: ['email'] } }),
      sampleAlert({ id: 'others', told: { bob: ['realtime'] } }),
    ]
    for (const alert of [sampleAlert(), ...others]) openAlerts.set(alert.id, alert)
    const sink = fakeSink()
    live.attach(person('anna'), ALL, sink)
    await settle()
    expect(ids(sink)).to.deep.equal(['a1'])
    expect(sink.frames.filter((frame) => frame.kind !== 'unread').map((frame) => frame.kind)).to.deep.equal([
      'alert',
      'notification',
    ])
  })

  it('are not told twice when one comes in while the open ones are looked up', async () => {
    let answer: (alerts: readonly Alert[]) => void = () => {}
    const { live, settle } = liveHarness({
      openPagesFor: () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    })
    const sink = fakeSink()
    live.attach(person('anna'), ALERTS, sink)
    await settle()
    live.page(sampleAlert(), 'anna')
    answer([sampleAlert(), sampleAlert({ id: 'a2' })])
    await settle()
    expect(ids(sink)).to.deep.equal(['a1', 'a2'])
  })

  it('that found no room are told once there is some, unless somebody has acknowledged meanwhile', async () => {
    const { live, openAlerts, settle } = liveHarness()
    const sink = fakeSink()
    const attachment = live.attach(person('anna'), ALERTS, sink)
    await settle()
    sink.room = 0
    for (const id of ['a1', 'a2', 'a3']) {
      openAlerts.set(id, sampleAlert({ id }))
      live.page(sampleAlert({ id }), 'anna')
    }
    openAlerts.delete('a2')
    expect(ids(sink)).to.deep.equal([])
    sink.room = Infinity
    attachment.roomy()
    await settle()
    expect(ids(sink)).to.deep.equal(['a1', 'a3'])
  })

  it('come again for each step that pages, but are not replayed when the wish comes back', async () => {
    const { live, openAlerts, settle } = liveHarness()
    openAlerts.set('a1', sampleAlert())
    const sink = fakeSink()
    const attachment = live.attach(person('anna'), ALERTS, sink)
    await settle()
    live.page(sampleAlert({ step: 2 }), 'anna')
    attachment.want(NOTHING)
    openAlerts.set('a2', sampleAlert({ id: 'a2' }))
    live.page(sampleAlert({ id: 'a2' }), 'anna')
    expect(ids(sink)).to.deep.equal(['a1', 'a1'])
    attachment.want(ALERTS)
    await settle()
    expect(ids(sink)).to.deep.equal(['a1', 'a1', 'a2'])
  })

  it('wait for a look-up that failed and are told after it succeeds', async () => {
    let down = true
    const { clock, live, settle } = liveHarness({
      openPagesFor: async () => {
        if (down) throw new Error('the store is away')
        return [sampleAlert()]
      },
    })
    const sink = fakeSink()
    live.attach(person('anna'), ALERTS, sink)
    await settle()
    down = false
    await clock.pass(100)
    await settle()
    expect(ids(sink)).to.deep.equal(['a1'])
  })

  it('that a connection never confirms stop at a hundred and go on from the open alerts (P22)', async () => {
    const { live, openAlerts, settle } = liveHarness()
    const sink = fakeSink()
    live.attach(person('anna'), ALERTS, sink)
    await settle()
    for (let count = 0; count < 130; count += 1) {
      const alert = sampleAlert({ id: `a${count}` })
      openAlerts.set(alert.id, alert)
      live.page(alert, 'anna')
    }
    expect(ids(sink)).to.have.length(100)
    sink.confirmAll()
    await settle()
    expect(ids(sink)).to.deep.equal([...openAlerts.keys()])
  })
})

describe('the memory of missed pages', () => {
  it('forgets ids beyond a thousand and asks for everything open instead', () => {
    const pages = new MissedPages()
    pages.begin()
    pages.finish()
    pages.abandon()
    expect(pages.pending).to.equal(false)
    for (let count = 0; count <= 1000; count += 1) pages.missed(`a${count}`)
    pages.begin()
    expect(pages.wants('one that was never named')).to.equal(true)
  })

  it('keeps what is missed during a look-up that then tells everything it found', () => {
    const pages = new MissedPages()
    pages.begin()
    pages.missed('late')
    pages.finish()
    pages.abandon()
    expect(pages.pending).to.equal(true)
    pages.begin()
    expect(pages.wants('late')).to.equal(true)
    expect(pages.wants('another')).to.equal(false)
  })

  it('wants a page that was told before another one for the same alert found no room', () => {
    const pages = new MissedPages()
    pages.told('a1')
    pages.missed('a1')
    pages.begin()
    expect(pages.wants('a1')).to.equal(true)
  })
})
