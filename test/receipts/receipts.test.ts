import { expect } from 'chai'
import { createReceipts, receiptTopic } from '../../src/receipts/receipts.ts'

const ORIGIN = { principal: 'sensor', messageId: 'm1', topic: 'notifications/realtime/user/anna' }
const AT = Date.UTC(2026, 0, 5, 12)

function receipts(listening = true) {
  const told: { topic: string; payload: unknown; qos: number }[] = []
  const subject = createReceipts({
    wanted: () => listening,
    publish: (topic, payload, { qos }) => told.push({ topic, payload: JSON.parse(payload) as unknown, qos }),
  })
  return { told, subject }
}

describe('receipts', () => {
  it('tell the publisher the result first and then each transition in order (contract section 4, fault 10)', () => {
    const { told, subject } = receipts()
    subject.accepted(ORIGIN, { status: 'sent', notification_id: 'n1', channels: ['realtime'] })
    subject.moved(ORIGIN, { status: 'sent', at: AT, channel: 'email', user: 'anna', deliveryId: 'n1.1' })
    subject.moved(ORIGIN, { status: 'seen', at: AT, user: 'anna' })
    subject.moved(ORIGIN, { status: 'acknowledged', at: AT, by: 'anna', via: 'mqtt' })
    expect(new Set(told.map((receipt) => receipt.topic))).to.deep.equal(new Set(['receipts/sensor/m1']))
    expect(new Set(told.map((receipt) => receipt.qos))).to.deep.equal(new Set([1]))
    const at = '2026-01-05T12:00:00.000Z'
    expect(told.map((receipt) => receipt.payload)).to.deep.equal([
      {
        id: 'm1',
        topic: ORIGIN.topic,
        status: 'accepted',
        result: { status: 'sent', notification_id: 'n1', channels: ['realtime'] },
      },
      { id: 'm1', status: 'sent', at, channel: 'email', user: 'anna', delivery_id: 'n1.1' },
      { id: 'm1', status: 'seen', at, user: 'anna' },
      { id: 'm1', status: 'acknowledged', at, by: 'anna', channel: 'mqtt' },
    ])
  })

  it('tell why a publish was rejected', () => {
    const { told, subject } = receipts()
    subject.rejected(ORIGIN, 'publish.unknown_user', 'There is no user anna')
    expect(told[0]?.payload).to.deep.equal({
      id: 'm1',
      topic: ORIGIN.topic,
      status: 'rejected',
      code: 'publish.unknown_user',
      error: 'There is no user anna',
    })
  })

  it('pass on what the engine has to say beside messages (R47)', () => {
    const { told, subject } = receipts()
    subject.tell('sensor', 'rate-limit', { error: 'rate_limit_exceeded' })
    expect(told).to.deep.equal([
      { topic: 'receipts/sensor/rate-limit', payload: { error: 'rate_limit_exceeded' }, qos: 1 },
    ])
  })

  it('cost nothing when nobody listens', () => {
    const { told, subject } = receipts(false)
    const result = {
      toJSON() {
        throw new Error('encoded for nobody')
      },
    }
    subject.accepted(ORIGIN, result)
    subject.moved(ORIGIN, { status: 'sent', at: AT })
    expect(told).to.deep.equal([])
    expect(subject.wanted(ORIGIN)).to.equal(false)
  })

  const topics: readonly [string, string][] = [
    ['m1', 'receipts/sensor/m1'],
    ['order/42', 'receipts/sensor/order/42'],
    ['a+b#c', 'receipts/sensor/a%2Bb%23c'],
    ['nul\0', 'receipts/sensor/nul%00'],
  ]
  for (const [id, topic] of topics)
    it(`of message ${JSON.stringify(id)} go to ${topic}`, () => {
      expect(receiptTopic('sensor', id)).to.equal(topic)
    })
})
