import { expect } from 'chai'
import { outboxItem, parseKey, parseReply, type Reply } from '../../src/delivery/outbox.ts'
import { NOON, planned } from '../support/messages.ts'

describe('parseReply', () => {
  const table: readonly [string, Reply | null][] = [
    ['ack', { verb: 'ack' }],
    ['ACK  ', { verb: 'ack' }],
    ['\u00a0Ack!\n', { verb: 'ack' }],
    ['ok', { verb: 'ack' }],
    ['a', { verb: 'ack' }],
    ['aa', { verb: 'ack', all: true }],
    ['ack all', { verb: 'ack', all: true }],
    ['acknowledge all', { verb: 'ack', all: true }],
    ['ack 4711', { verb: 'ack', ref: '4711' }],
    ['Ack #4711', { verb: 'ack', ref: '4711' }],
    ['1a', { verb: 'ack', ref: '1' }],
    ['12A ', { verb: 'ack', ref: '12' }],
    ['1c', { verb: 'resolve', ref: '1' }],
    ['cc', { verb: 'resolve', all: true }],
    ['close', { verb: 'resolve' }],
    ['resolve', { verb: 'resolve' }],
    ['escalate', { verb: 'escalate' }],
    ['3e', { verb: 'escalate', ref: '3' }],
    ['snooze', { verb: 'snooze' }],
    ['snooze 30m', { verb: 'snooze', forMs: 1_800_000 }],
    ['snooze 2h', { verb: 'snooze', forMs: 7_200_000 }],
    ['snooze 7', { verb: 'snooze', ref: '7' }],
    ['', null],
    ['   ', null],
    ['hello', null],
    ['please ack', null],
    ['ack now please', null],
    ['ack later', null],
    ['escalate all', null],
    ['a1', null],
    ['4', null],
    ['constructor', null],
    ['__proto__ 1', null],
    ['ack ../../1', null],
    [`ack ${'1'.repeat(300)}`, null],
  ]
  for (const [text, reply] of table) {
    it(`reads ${JSON.stringify(text.slice(0, 30))} as ${JSON.stringify(reply)} (E19)`, () => {
      expect(parseReply(text)).to.deep.equal(reply)
    })
  }
})

describe('parseKey', () => {
  it('knows 4 as acknowledge, 6 as escalate, 5 as resolve, and no other key', () => {
    expect(['4', '6', '5', '1', '44', ''].map(parseKey)).to.deep.equal([
      { verb: 'ack' },
      { verb: 'escalate' },
      { verb: 'resolve' },
      null,
      null,
      null,
    ])
  })
})

describe('outboxItem', () => {
  it('carries the id of its delivery, so that keeping it twice keeps it once', () => {
    const { delivery } = planned({ ordinal: 3, channel: 'sms', address: '+4915112345678' })
    expect(outboxItem(delivery, { text: 'CRITICAL', actions: [], segments: 1 }, NOON)).to.deep.equal({
      id: 'a1.3',
      tenant: 'default',
      channel: 'sms',
      userId: 'anna',
      address: '+4915112345678',
      text: 'CRITICAL',
      actions: [],
      segments: 1,
      deliveryId: 'a1.3',
      alertId: 'a1',
      createdAt: NOON,
    })
  })

  it('names the notification of a notification, and neither of a direct send', () => {
    const rendered = { text: 'x', actions: [] }
    const message = planned({ subjectKind: 'notification', subjectId: 'n1', purpose: 'message' }).delivery
    const direct = planned({ subjectKind: 'direct', subjectId: 'd1', purpose: 'message' }).delivery
    expect(outboxItem(message, rendered, NOON))
      .to.include({ notificationId: 'n1' })
      .and.not.have.property('alertId')
    expect(outboxItem(direct, rendered, NOON)).to.not.have.any.keys('alertId', 'notificationId')
  })
})
