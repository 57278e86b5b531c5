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
})
