import { expect } from 'chai'
import type { PublishOptions } from '../../../src/broker/broker.ts'
import type { RenderInput } from '../../../src/delivery/channel.ts'
import { mqttChannel, type MqttTopic } from '../../../src/delivery/channels/mqtt.ts'
import type { PlannedDelivery } from '../../../src/delivery/plan.ts'
import { alert, planned, TENANT } from '../../support/messages.ts'

const TOPIC = 'plant/siren/set'

function setUp({ kept = true, ...settings }: Partial<MqttTopic> & { kept?: boolean } = {}) {
  const published: { topic: string; payload: string; options: PublishOptions | undefined }[] = []
  const broker = {
    async publishKept(topic: string, payload: string | Uint8Array, options?: PublishOptions) {
      published.push({ topic, payload: String(payload), options })
      return kept
    },
  }
  const topic = { topic: TOPIC, qos: 1, retain: false, ...settings } as const
  return { published, channel: mqttChannel({ topics: [topic], broker }) }
}

function input(
  changes: Partial<PlannedDelivery> = {},
  alertChanges: Parameters<typeof alert>[0] = {},
): RenderInput {
  const { delivery } = planned({ channel: 'mqtt', address: TOPIC, userId: null, step: 2, ...changes })
  const subject = { kind: 'alert', alert: alert(alertChanges) } as const
  return { delivery, subject, recipient: null, fixed: null, publicUrl: 'http://localhost:8080' }
}

describe('an MQTT topic', () => {
  it('gets JSON with all of the alert unless a payload is configured', () => {
    const { channel } = setUp()
    const body: unknown = JSON.parse(channel.render(input()).frame?.payload ?? '')
    expect(body).to.deep.include({ type: 'alert.page', step: 2 })
    expect(body).to.have.nested.property('alert.severity', 'critical')
  })

  const hostile = { type: 'disk_full', message: 'say "{{severity}}"\r\n\\', source: null }
  const filled: readonly [payload: string, published: string][] = [
    ['ON', 'ON'],
    ['', ''],
    ['{{severity}}/{{type}}/{{ id }}/{{status}}/{{step}}', 'critical/disk_full/a1/firing/2'],
    ['{{title}}', 'CRITICAL ALERT: disk_full'],
    ['{{message}}|{{source}}', 'say "{{severity}}" \\|'],
    ['{"on":true,"text":"{{message}}"}', '{"on":true,"text":"say \\"{{severity}}\\" \\\\"}'],
    ['  ["{{message}}"]', '  ["say \\"{{severity}}\\" \\\\"]'],
  ]
  for (const [payload, expected] of filled) {
    it(`fills ${JSON.stringify(payload)} in one pass, escaped where it is JSON`, () => {
      const { channel } = setUp({ payload })
      expect(channel.render(input({}, hostile)).frame?.payload).to.equal(expected)
    })
  }

  it('hears its resolved_payload of an outcome, and its payload of everything else', () => {
    const { channel } = setUp({ payload: 'ON {{status}}', resolved_payload: 'OFF {{status}}' })
    const over = input({ purpose: 'outcome' }, { status: 'resolved' })
    expect(channel.render(over).frame?.payload).to.equal('OFF resolved')
    expect(channel.render(input()).frame?.payload).to.equal('ON firing')
    expect(channel.render(input({ purpose: 'message' })).frame?.payload).to.equal('ON firing')
  })

  it('is published to within the tenant of the delivery, with its own quality and retention', async () => {
    const { channel, published } = setUp({ payload: 'ON', qos: 2, retain: true })
    const rendered = channel.render(input())
    const message = { idempotencyKey: 'a1.1', address: TOPIC, rendered, critical: true }
    expect(await channel.send(message, new AbortController().signal)).to.deep.equal({ ok: true })
    expect(published).to.deep.equal([
      { topic: TOPIC, payload: 'ON', options: { qos: 2, retain: true, tenant: TENANT } },
    ])
  })

  it('is tried again when the message could not be kept for sessions that are away', async () => {
    const { channel } = setUp({ payload: 'ON', kept: false })
    const message = {
      idempotencyKey: 'a1.1',
      address: TOPIC,
      rendered: channel.render(input()),
      critical: true,
    }
    expect(await channel.send(message, new AbortController().signal)).to.include({ ok: false, retry: true })
  })

  it('is published to only while it is configured, whatever address a stored delivery has', async () => {
    const { channel, published } = setUp()
    const rendered = channel.render(input())
    const message = { idempotencyKey: 'a1.1', address: 'state/alerts/a1', rendered, critical: true }
    expect(await channel.send(message, new AbortController().signal)).to.include({
      retry: false,
      code: 'not_configured',
    })
    expect(published).to.deep.equal([])
  })
})
