import { expect } from 'chai'
import type { ProgressListener } from '../../src/live/progress.ts'
import { fakeSink } from '../support/fake-sink.ts'
import { sampleAlert } from '../support/sample-alert.ts'
import { ALL, liveHarness, NOTIFICATIONS, person } from './harness.ts'

function listener() {
  const heard: string[] = []
  const progressed: ProgressListener = {
    wanted: () => true,
    moved: (subject, userId, step) => {
      const id = subject.kind === 'notification' ? subject.notification.id : subject.alert.id
      heard.push(`${id} ${userId} ${step.state}`)
    },
  }
  return { heard, progressed }
}

describe('the progress of realtime deliveries', () => {
  it('is sent when a connection took it and delivered when a device proved it (fault 7)', async () => {
    const { inbox, clock, live, publish, settle } = liveHarness()
    const sink = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    publish({ to: 'anna' })
    publish({ to: 'nobody' })
    await settle()
    const step = { subjectId: 'n1', userId: 'anna', at: clock.now() }
    expect(inbox.steps).to.deep.equal([{ ...step, state: 'sent' }])
    sink.confirmAll()
    await settle()
    expect(inbox.steps).to.deep.equal([
      { ...step, state: 'sent' },
      { ...step, state: 'delivered' },
    ])
  })

  it('stays at sent where the connection proves nothing', async () => {
    const { inbox, live, publish, settle } = liveHarness()
    const sink = fakeSink({ proves: false })
    live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    publish({ to: 'anna' })
    sink.confirmAll()
    await settle()
    expect(inbox.steps.map((step) => step.state)).to.deep.equal(['sent'])
  })

  it('stays where it was when the connection ends before it confirmed', async () => {
    const { inbox, live, publish, settle } = liveHarness()
    const sink = fakeSink()
    const attachment = live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    publish({ to: 'anna' })
    attachment.detach()
    sink.confirmAll()
    await settle()
    expect(inbox.steps.map((step) => step.state)).to.deep.equal(['sent'])
  })

  it('is not written for broadcasts, whose deliveries are derived', async () => {
    const { inbox, live, publish, settle } = liveHarness()
    const sink = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    publish({})
    sink.confirmAll()
    await settle()
    expect(sink.numbers).to.deep.equal([1])
    expect(inbox.steps).to.deep.equal([])
  })

  it('is told once to whoever listens, whatever number of devices and reconnects', async () => {
    const { heard, progressed } = listener()
    const { live, publish, settle } = liveHarness({ progressed })
    const connect = async () => {
      const sink = fakeSink()
      const attachment = live.attach(person('anna'), NOTIFICATIONS, sink)
      await settle()
      return { sink, attachment }
    }
    const phone = await connect()
    const desk = await connect()
    publish({ to: 'anna' })
    for (const { sink } of [phone, desk]) sink.confirmAll()
    await settle()
    phone.attachment.detach()
    const again = await connect()
    again.sink.confirmAll()
    await settle()
    expect(again.sink.numbers).to.deep.equal([1])
    expect(heard).to.deep.equal(['n1 anna sent', 'n1 anna delivered'])
  })

  it('of pages is written for each page, since every page is a delivery of its own', async () => {
    const { inbox, live, settle } = liveHarness()
    const sink = fakeSink()
    live.attach(person('anna'), ALL, sink)
    await settle()
    live.page(sampleAlert(), 'anna')
    sink.confirmAll()
    await settle()
    inbox.steps.length = 0
    live.page(sampleAlert({ step: 2 }), 'anna')
    await settle()
    sink.confirmAll()
    await settle()
    expect(inbox.steps.map(({ subjectId, state }) => `${subjectId} ${state}`)).to.deep.equal([
      'a1 sent',
      'a1 delivered',
    ])
  })

  it('takes one write when the proof comes before the hand-over was written', async () => {
    const { inbox, live, publish, settle } = liveHarness()
    const sink = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    publish({ to: 'anna' })
    publish({ to: 'anna' })
    sink.unconfirmed.shift()?.confirm()
    await settle()
    expect(inbox.steps.map(({ subjectId, state }) => `${subjectId} ${state}`)).to.deep.equal([
      'n1 delivered',
      'n2 sent',
    ])
  })

  it('is told in order even if a device confirms before the hand-over is through', async () => {
    const { heard, progressed } = listener()
    const { live, publish, settle } = liveHarness({ progressed })
    const sink = fakeSink()
    const prompt = { ...sink, send: (_: unknown, confirmed: () => void) => (confirmed(), true) }
    live.attach(person('anna'), NOTIFICATIONS, prompt)
    await settle()
    publish({ to: 'anna' })
    await settle()
    expect(heard).to.deep.equal(['n1 anna sent', 'n1 anna delivered'])
  })

  it('waits for a store that is away and goes in one batch afterwards', async () => {
    const { heard, progressed } = listener()
    const { inbox, clock, live, publish, settle } = liveHarness({ progressed })
    const sink = fakeSink()
    live.attach(person('anna'), NOTIFICATIONS, sink)
    await settle()
    publish({ to: 'anna' })
    inbox.fail(1)
    await settle()
    publish({ to: 'anna' })
    sink.confirmAll()
    await settle()
    expect(heard).to.deep.equal([])
    await clock.pass(100)
    await settle()
    expect(heard).to.deep.equal(['n1 anna sent', 'n2 anna sent', 'n1 anna delivered', 'n2 anna delivered'])
  })
})
