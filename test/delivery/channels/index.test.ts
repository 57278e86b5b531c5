import { expect } from 'chai'
import { channelLanes, createChannels, laneOf } from '../../../src/delivery/channels/index.ts'
import { CHANNEL_NAMES } from '../../../src/delivery/delivery.ts'
import { webhookAddress } from '../../../src/delivery/webhook-address.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { noDevices } from '../../support/fake-devices.ts'
import { quietHealth } from '../../support/quiet-health.ts'
import { channelConformance } from '../../support/channel-conformance.ts'

const captured = { mode: 'captured' } as const

function configuration(smtpUrl?: string) {
  const email = {
    mode: smtpUrl === undefined ? ('captured' as const) : ('live' as const),
    provider: 'smtp' as const,
    from: 'Alerts <a@b.example>',
    attachments: { allow: [], max_bytes: 1000 },
  }
  return {
    channels: {
      email: smtpUrl === undefined ? email : { ...email, smtp_url: smtpUrl },
      sms: {
        ...captured,
        provider: 'twilio' as const,
        method: 'POST' as const,
        headers: {},
        body: '',
        countries: [],
        providers: [],
        allow_premium: false,
      },
      voice: { ...captured, provider: 'twilio' as const, countries: [] },
      push: captured,
      web_push: { ...captured, allow: [] },
      telegram: captured,
      webhook: { ...captured, allow: [], endpoints: {} },
      speech: captured,
      mqtt: { ...captured, topics: {} },
    },
  }
}

const reached = () => ({ clock: fakeClock(), devices: noDevices, vapid: null, healthOf: quietHealth() })

describe('createChannels', () => {
  it('lists every channel but realtime, which the live fan-out serves', () => {
    const names = [...createChannels(configuration(), reached()).keys()].toSorted()
    expect(names).to.deep.equal(CHANNEL_NAMES.filter((name) => name !== 'realtime').toSorted())
  })

  it('gives captured lanes more room than those of a provider', () => {
    const lanes = channelLanes(createChannels(configuration('smtp://127.0.0.1:1'), reached()))
    expect(lanes.find((lane) => lane.name === 'email')?.concurrency).to.equal(20)
    expect(lanes.find((lane) => lane.name === 'sms')?.concurrency).to.equal(200)
  })

  it('gives each webhook endpoint and each of several SMS providers a lane of its own, and what an earlier configuration left (P24)', () => {
    const base = configuration().channels
    const url = (host: string) => `https://${host}.example/hook`
    const endpoint = (host: string) => ({ url: url(host), format: 'json' as const })
    const gateway = (name: string, countries: string[]) => ({
      name,
      countries,
      provider: 'http' as const,
      method: 'POST' as const,
      headers: {},
      body: '',
      url: url(name),
    })
    const channels = createChannels(
      {
        channels: {
          ...base,
          sms: { ...base.sms, providers: [gateway('german', ['+49']), gateway('world', [])] },
          webhook: {
            ...base.webhook,
            mode: 'live',
            endpoints: { ops: endpoint('ops'), chat: endpoint('chat') },
          },
        },
      },
      reached(),
    )
    const lanes = channelLanes(channels, ['sms', 'webhook:gone', 'webhook:ops'])
    expect(lanes.filter(({ name }) => name.includes(':'))).to.deep.equal([
      { name: 'sms:world', concurrency: 200 },
      { name: 'sms:german+world', concurrency: 200 },
      { name: 'webhook:ops', concurrency: 10 },
      { name: 'webhook:chat', concurrency: 10 },
      { name: 'webhook:gone', concurrency: 10 },
    ])
    expect(new Set(lanes.map(({ name }) => name)).size).to.equal(lanes.length)
    const where = [
      laneOf(channels, 'webhook', webhookAddress('chat', url('chat'))),
      laneOf(channels, 'webhook', 'https://unknown.example'),
      laneOf(channels, 'sms', '+4915112345678'),
      laneOf(channels, 'sms', '+12025550123'),
      laneOf(channels, 'email', 'anna@example.org'),
      laneOf(channels, 'email', null),
    ]
    expect(where).to.deep.equal([
      'webhook:chat',
      'webhook',
      'sms:german+world',
      'sms:world',
      'email',
      'email',
    ])
  })

  it('says that it cannot send where nothing is configured, and that trying again is no use', async () => {
    for (const { channel } of createChannels(configuration(), reached()).values()) {
      const message = {
        idempotencyKey: 'a1.1',
        address: 'x',
        rendered: { text: 'x', actions: [] },
        critical: true,
      }
      const result = await channel.send(message, new AbortController().signal)
      expect(result).to.include({ ok: false, retry: false, code: 'not_configured' })
    }
  })

  for (const name of createChannels(configuration(), reached()).keys()) {
    channelConformance(name, () => {
      const entry = createChannels(configuration(), reached()).get(name)
      if (!entry) throw new Error(`no channel ${name}`)
      return entry.channel
    })
  }
})
