import { expect } from 'chai'
import { channelLanes, createChannels, laneOf } from '../../../src/delivery/channels/index.ts'
import { CHANNEL_NAMES } from '../../../src/delivery/delivery.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { quietHealth } from '../../support/quiet-health.ts'
import { channelConformance } from '../../support/channel-conformance.ts'

const captured = { mode: 'captured' } as const

function configuration(smtpUrl?: string) {
  const email = {
    mode: smtpUrl === undefined ? ('captured' as const) : ('live' as const),
    from: 'Alerts <a@b.example>',
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
      },
      voice: { ...captured, provider: 'twilio' as const, countries: [] },
      push: captured,
      web_push: captured,
      telegram: captured,
      webhook: { ...captured, allow: [], endpoints: {} },
    },
  }
}

describe('createChannels', () => {
  it('lists every channel but realtime, which the live fan-out serves', () => {
    const names = [
      ...createChannels(configuration(), { clock: fakeClock(), healthOf: quietHealth() }).keys(),
    ].toSorted()
    expect(names).to.deep.equal(CHANNEL_NAMES.filter((name) => name !== 'realtime').toSorted())
  })

  it('gives captured lanes more room than those of a provider', () => {
    const lanes = channelLanes(
      createChannels(configuration('smtp://127.0.0.1:1'), { clock: fakeClock(), healthOf: quietHealth() }),
    )
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
      { clock: fakeClock(), healthOf: quietHealth() },
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
      laneOf(channels, 'webhook', url('chat')),
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
    for (const { channel } of createChannels(configuration(), {
      clock: fakeClock(),
      healthOf: quietHealth(),
    }).values()) {
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

  for (const name of createChannels(configuration(), {
    clock: fakeClock(),
    healthOf: quietHealth(),
  }).keys()) {
    channelConformance(name, () => {
      const entry = createChannels(configuration(), { clock: fakeClock(), healthOf: quietHealth() }).get(name)
      if (!entry) throw new Error(`no channel ${name}`)
      return entry.channel
    })
  }
})
