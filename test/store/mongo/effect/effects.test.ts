import '../../../support/mongo-server.ts'
import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import {
  decodeEffects,
  encodeEffects,
  isEmpty,
  type Effects,
} from '../../../../src/store/mongo/effect/effects.ts'
import { deliveryDocument } from '../../../../src/store/mongo/document/delivery.ts'
import { notificationDocument } from '../../../../src/store/mongo/document/notification.ts'
import * as sample from '../../../support/store/samples.ts'

describe('What follows from a write to MongoDB', () => {
  const effectsOf = (count: number, message: string): Effects => {
    const content = sample.content({ message })
    const fixed = { subject: message, text: message }
    const ids = Array.from({ length: count }, (_, index) => `n-${index}`)
    return {
      notifications: ids.map((id, seq) => notificationDocument(sample.notification(id, { content }), seq)),
      deliveries: ids.map((id, order) =>
        deliveryDocument(sample.toSend(sample.delivery(id, 1, { fixed: order % 2 === 0 ? fixed : null })), {
          order,
          node: 'a',
          alertVersion: 0,
        }),
      ),
      audit: [['default', 1, 'a', 'b', 'c', null, '{"$gt":""}']],
    }
  }

  for (const [what, count, message] of [
    ['a few rows', 3, 'Grüße $where .key \u0000 "'],
    ['many rows', 500, 'Text'],
  ] as const)
    it(`is read as it was stored: ${what}`, () => {
      const effects = effectsOf(count, message)
      expect(decodeEffects(encodeEffects(effects))).to.deep.equal(effects)
    })

  it('has room in one document when ten thousand people get the longest message', () => {
    const message = randomBytes(64 * 1024).toString('hex')
    const stored = encodeEffects(effectsOf(10_000, message))
    expect(typeof stored === 'string' ? Infinity : stored.buffer.byteLength).to.be.lessThan(2 * 1024 * 1024)
  })

  it('is refused for itself when no document could hold it (P10)', () => {
    const texts = Array.from({ length: 130 }, (_, index) =>
      notificationDocument(
        sample.notification(`n-${index}`, {
          content: sample.content({ message: randomBytes(128 * 1024).toString('base64') }),
        }),
        index,
      ),
    )
    expect(() => encodeEffects({ notifications: texts })).to.throw('The store could not hold it')
  })

  it('is nothing when it has no rows', () => {
    expect(isEmpty({ deliveries: [], audit: [] })).to.equal(true)
    expect(
      isEmpty({ deliveries: [], cancel: { tenant: 't', alertId: 'a', version: 2, reason: 'r' } }),
    ).to.equal(false)
  })
})
