import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'

const RULES = [
  {
    id: 'freezer',
    topic: 'plain/freezer/{device}',
    when: 'payload.temperature > -12',
    alert: {
      severity: 'critical',
      type: 'temp_freezer',
      message: '{{device}}: {{payload.temperature}} °C',
      dedup_key: '{{device}}',
    },
    resolve_when: 'payload.temperature < -15',
  },
  {
    id: 'broken',
    topic: 'plain/{all...}',
    notify: { user: '{{payload.who}}', message: 'For {{payload.who}}' },
    when: 'exists(payload.who)',
  },
  {
    id: 'also',
    topic: 'plain/{all...}',
    notify: { user: 'bob', title: 'Plain', message: '{{all}} says {{payload.who}}' },
    when: 'exists(payload.who)',
  },
  {
    id: 'order',
    event: 'order.*',
    notify: {
      user: '{{data.user_id}}',
      title: 'Order {{data.order_id}}',
      message: '{{event}}',
      category: 'payment',
    },
  },
  {
    id: 'text',
    topic: 'plain/text',
    when: 'payload == "ON" || payload > 20',
    notify: { group: 'ops', message: 'got {{payload}}' },
  },
  {
    id: 'empty',
    topic: 'plain/empty',
    when: '!exists(payload)',
    notify: { broadcast: [], message: 'pressed' },
  },
]

describe('rules (contract section 8)', () => {
  let program: Harness
  beforeEach(async () => {
    program = await harness({ config: { rules: RULES } })
  })
  afterEach(() => program.close())

  it('raise an alert from a payload that nobody designed, count it, and end it', async () => {
    const results = async (temperature: number) => {
      const outcome = await program.publish('plain/freezer/f1', { temperature })
      expect(outcome.kind).to.equal('plain')
      return outcome.kind === 'plain' ? outcome.rules : null
    }
    expect(await results(-18)).to.deep.include.members([
      { rule: 'freezer', status: 'alert_not_open', dedup_key: 'f1' },
    ])
    await results(-11)
    await results(-10)
    await program.quiet()
    const [alert] = await program.openAlerts()
    expect(alert).to.include({
      type: 'temp_freezer',
      severity: 'critical',
      message: 'f1: -11 °C',
      dedupKey: 'f1',
      count: 2,
      team: 'platform',
    })
    expect(alert?.source).to.equal('plain/freezer/f1')
    expect(await results(-13)).to.equal(undefined)
    await results(-16)
    expect(await program.openAlerts()).to.deep.equal([])
    expect((await program.phone('bob').messages('sms')).length).to.be.greaterThan(0)
  })

  it('that fail are dead letters which name them, and the others go on (P10)', async () => {
    const outcome = await program.publish('plain/x/y', { who: 'nobody' })
    expect(outcome.kind === 'plain' && outcome.rules).to.have.length(2)
    expect(await program.deadLetters()).to.have.length(1)
    const [letter] = await program.deadLetters()
    expect(letter).to.include({
      topic: 'plain/x/y',
      code: 'publish.unknown_user',
      reason: 'Rule broken: There is no user "nobody"',
    })
    expect((await program.inbox('bob')).map(({ content }) => content.message)).to.deep.equal([
      'x/y says nobody',
    ])
  })

  it('take events, whoever emits them, beside what their route does (E28, X18)', async () => {
    const result = await program.accepted('events/order/paid', { user_id: 'bob', order_id: 7 })
    expect(result['status']).to.equal('event_emitted')
    const [entry] = await program.inbox('bob')
    expect(entry?.content).to.include({
      title: 'Order 7',
      message: 'order.paid',
      category: 'payment',
      event: 'order.paid',
    })
    await program.accepted('events/invoice/paid', { user_id: 'bob', order_id: 7 })
    expect(await program.inbox('bob')).to.have.length(1)
  })

  it('see numbers, texts and nothing', async () => {
    for (const body of ['ON', '21.5', '19', 'OFF', '{"no": "json']) await program.publish('plain/text', body)
    await program.publish('plain/empty', '')
    expect((await program.inbox('anna')).map(({ content }) => content.message)).to.deep.equal([
      'got ON',
      'got 21.5',
      'pressed',
    ])
  })

  it('act once on a message that is sent again, under its key or as the same transmission (P3)', async () => {
    const principal = program.app.engine.directory.principal('device')!
    const publish = (more: object) =>
      program.app.engine.receive({
        principal,
        topic: 'plain/text',
        payload: Buffer.from('ON'),
        qos: 1,
        via: 'http',
        fingerprint: null,
        dup: false,
        correlationId: 'test',
        ...more,
      })
    for (let time = 0; time < 2; time++) await publish({ idempotencyKey: 'k1' })
    await publish({ fingerprint: 'f1' })
    await publish({ fingerprint: 'f1', dup: true })
    expect(await program.inbox('bob')).to.have.length(2)
    // A device puts its own id into everything that it says: that names no message.
    for (let time = 0; time < 2; time++) await program.publish('plain/y', { id: 'sensor-1', who: 'x' })
    expect(await program.inbox('bob')).to.have.length(4)
  })

  it('leave plain MQTT as it is: subscribers hear the message, and its publisher what came of it', async () => {
    const device = await program.client('device')
    await device.subscribe('plain/#')
    await device.subscribe('receipts/device/#')
    await device.mqtt.publishAsync('plain/x', '{"who":"x"}', { qos: 1 })
    const receipt = await device.first(({ topic }) => topic.startsWith('receipts/device/'))
    expect(receipt.body).to.include({ status: 'accepted', topic: 'plain/x' })
    const forwarded = await device.first(({ topic }) => topic === 'plain/x')
    expect(forwarded.body).to.deep.equal({ who: 'x' })
  })

  it('keep what is too large or too deep as one letter that names them', async () => {
    await program.publish('plain/text', 'x'.repeat(140_000))
    const letters = await program.deadLetters()
    expect(letters.map(({ code }) => code)).to.deep.equal(['publish.too_large'])
  })
})
