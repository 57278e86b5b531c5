import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'

describe('a publish that no route can take', () => {
  let program: Harness
  afterEach(() => program.close())

  it('counts against the rate limit of whoever sends it, whatever is wrong with it (P23)', async () => {
    program = await harness({
      config: {
        clients: {
          noisy: {
            token: 'noisy-token-0123456789',
            publish: ['notifications/#'],
            rate_limit: { max_requests: 2, window_seconds: 60 },
          },
        },
      },
    })
    const kinds: string[] = []
    for (const body of ['no json', { message: 'nowhere' }, 'x'.repeat(140_000)]) {
      kinds.push((await program.publish('notifications/nowhere', body, { as: 'noisy', qos: 0 })).kind)
    }
    expect(kinds).to.deep.equal(['dead', 'dead', 'discarded'])
    expect(await program.deadLetters()).to.have.length(2)
  })

  it('is told under its own name, and told again when it is sent again', async () => {
    program = await harness()
    const device = await program.client('device')
    await device.subscribe('receipts/device/#')
    for (const topic of ['notifications/nowhere', 'notifications/realtime/user/nobody']) {
      const id = topic.replaceAll('/', '.')
      for (let times = 0; times < 2; times++) await device.publish(topic, { message: 'x', id }, 1)
      const told = await device.count(`receipts/device/${id}`, 2)
      expect(told.map(({ body }) => body?.['status'])).to.deep.equal(['rejected', 'rejected'])
    }
    expect(await program.deadLetters()).to.have.length(2)
  })
})
