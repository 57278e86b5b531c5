import { expect } from 'chai'
import { blockedBy } from '../../src/router/blocked.ts'
import { harness, type Harness } from '../support/harness.ts'

describe('senders that are blocked (R41)', () => {
  const cases: readonly (readonly [from: string | undefined, topic: string | undefined, fits: boolean])[] = [
    ['shop-1', undefined, true],
    ['shop-*', undefined, true],
    ['*', undefined, true],
    ['shop', undefined, false],
    [undefined, 'notifications/#', true],
    [undefined, 'notifications/+/user/anna', true],
    [undefined, 'alerts/#', false],
    ['shop-*', 'alerts/#', false],
    ['bank', 'notifications/#', false],
  ]
  for (const [from, topic, fits] of cases)
    it(`${fits ? 'include' : 'leave out'} shop-1 with ${from ?? 'anybody'} on ${topic ?? 'any topic'}`, () => {
      const block = { ...(from !== undefined && { from }), ...(topic !== undefined && { topic }) }
      const found = blockedBy([block], { id: 'shop-1' }, 'notifications/realtime/user/anna')
      expect(found).to.equal(fits ? block : null)
    })

  describe('in the program', () => {
    let program: Harness
    afterEach(() => program.close())

    it('leave a dead letter with its reason, from now on and until they are let in again', async () => {
      program = await harness()
      const topic = 'notifications/realtime/user/bob'
      const say = (message: string) => program.publish(topic, { message })
      expect((await say('one')).kind).to.equal('stored')
      const block = { from: 'dev*', topic: 'notifications/#', reason: 'Too noisy' }
      program.reconfigure({ filter: { block: [block], redact: [] } })
      expect(await say('two')).to.include({ kind: 'dead', code: 'publish.blocked', message: 'Too noisy' })
      expect((await program.publish('events/order/paid', {})).kind, 'another topic').to.equal('stored')
      expect((await program.publish(topic, { message: 'three' }, { as: 'anna' })).kind).to.equal('stored')
      program.reconfigure({ filter: { block: [{ topic: 'events/#' }] } })
      expect((await program.publish('events/order/paid', {})).kind, 'events as well').to.equal('dead')
      expect((await say('four')).kind).to.equal('stored')
      expect((await program.inbox('bob')).map(({ content }) => content.message)).to.deep.equal([
        'one',
        'three',
        'four',
      ])
    })

    it('are told apart from what is only redacted, which arrives without what was taken out', async () => {
      program = await harness({ config: { filter: { redact: ['card_number', 'secret'] } } })
      const message = 'Card 4111 1111 1111 1111, password: hunter2'
      await program.accepted('notifications/realtime/user/bob', { message })
      await program.raise('alerts/critical/system_failure', { message })
      const texts = (await program.phone('bob').messages()).map(({ text }) => text)
      expect(texts).to.have.length.above(0)
      expect(JSON.stringify([texts, await program.inbox('bob'), await program.openAlerts()])).to.not.match(
        // Ids have digits of their own.
        /4111 1111|hunter2/,
      )
      expect((await program.inbox('bob'))[0]?.content.message).to.equal('Card [removed], password: [removed]')
    })
  })
})
