import { expect } from 'chai'
import { fault, type Decision } from '#engine'
import { log } from '../../middleware/log.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { fakeContext } from '../support/fake-context.ts'
import { silentLog } from '../support/silent-log.ts'

const done: Decision = { kind: 'event', type: 'order.created', data: { secret: 'payload' }, source: null }

describe('log', () => {
  it('writes one debug line per publish with its outcome, and never the payload (security 26)', async () => {
    const outcomes: [next: () => Promise<Decision>, outcome: string][] = [
      [async () => done, 'event'],
      [() => Promise.reject(fault('publish.unknown_user', 'payload')), 'publish.unknown_user'],
      [() => Promise.reject(new Error('payload')), 'server.internal'],
    ]
    for (const [next, outcome] of outcomes) {
      const { log: sink, lines } = silentLog()
      const clock = fakeClock()
      const context = fakeContext({
        log: sink,
        clock,
        pattern: 'notifications/realtime/user/{userId}',
        body: 'payload',
      })
      const running = log()(context, async () => {
        await new Promise<void>((resolve) => void clock.at(clock.now() + 25, resolve))
        return next()
      }).then(String, String)
      await clock.pass(25)
      await running
      expect(lines).to.have.length(1)
      expect(lines[0]).to.include({
        level: 20,
        msg: 'publish',
        topic: 'notifications/realtime/user/anna',
        route: 'notifications/realtime/user/{userId}',
        principal: 'db-monitor',
        correlation_id: 'c-1',
        duration_ms: 25,
        outcome,
      })
      expect(JSON.stringify(lines)).to.not.include('payload')
    }
  })

  it('hands the decision and the fault on as they are, at any level', async () => {
    for (const level of ['debug', 'info']) {
      const { log: sink, lines } = silentLog()
      sink.level = level
      const refusal = fault('publish.forbidden')
      expect(await log()(fakeContext({ log: sink }), async () => done)).to.equal(done)
      const failed = await log()(fakeContext({ log: sink }), () => Promise.reject(refusal)).catch(
        (error: unknown) => error,
      )
      expect(failed).to.equal(refusal)
      expect(lines).to.have.length(level === 'debug' ? 2 : 0)
    }
  })
})
