import type { Clock } from '../../clock.ts'
import type { Config } from '../../config/schema.ts'
import type { Channel, ChannelMode } from '../channel.ts'
import type { ChannelName } from '../delivery.ts'
import { createOptOuts, type OptOuts } from '../opt-outs.ts'
import type { BotSettings } from '../telegram/bot.ts'
import { targetLane } from '../plan.ts'
import type { HealthOf } from '../target-health.ts'
import type { LaneSettings } from '../worker.ts'
import { createOutgoing } from '../outgoing/outgoing.ts'
import { emailChannel } from './email.ts'
import { pushChannel } from './push.ts'
import { smsChannel } from './sms.ts'
import { speechChannel } from './speech.ts'
import { telegramChannel } from './telegram.ts'
import { voiceChannel } from './voice.ts'
import { webhookChannel } from './webhook.ts'

export type Channels = ReadonlyMap<ChannelName, ConfiguredChannel>

export interface ConfiguredChannel {
  readonly channel: Channel
  readonly mode: ChannelMode
}

/**
 * Every way out, as configured. `realtime` is none of them: who is connected is served by the live fan-out.
 * A new channel is one file and one line here. Nothing is connected before the first message.
 */
export function createChannels(
  { channels }: Pick<Config, 'channels'>,
  reached: {
    readonly clock: Pick<Clock, 'now'>
    /** For providers that stand in for each other; every other target is watched by its lane. */
    readonly healthOf: HealthOf
    readonly publicUrl?: string | undefined
    readonly optOuts?: OptOuts
  },
): Channels {
  const { email, sms, voice, telegram, webhook } = channels
  const { clock, healthOf, publicUrl, optOuts = createOptOuts() } = reached
  const list: readonly ConfiguredChannel[] = [
    { channel: emailChannel({ smtpUrl: email.smtp_url, from: email.from }), mode: email.mode },
    { channel: smsChannel({ sms, publicUrl, optOuts, clock, healthOf }), mode: sms.mode },
    { channel: voiceChannel({ voice, publicUrl }), mode: voice.mode },
    { channel: pushChannel('push'), mode: channels.push.mode },
    { channel: pushChannel('web_push'), mode: channels.web_push.mode },
    { channel: telegramChannel(botSettings(telegram)), mode: telegram.mode },
    {
      channel: webhookChannel({
        endpoints: Object.entries(webhook.endpoints).map(([name, endpoint]) => ({ name, ...endpoint })),
        outgoing: createOutgoing({ allow: webhook.allow }),
        clock,
      }),
      mode: webhook.mode,
    },
    // Speech happens in the reader's browser; there is nothing to configure.
    { channel: speechChannel(), mode: 'captured' },
  ]
  return new Map(list.map((entry) => [entry.channel.name, entry]))
}

/** The bot of the configuration, or null where there is none. */
export function botSettings(telegram: Config['channels']['telegram']): BotSettings | null {
  if (telegram.bot_token === undefined) return null
  return { token: telegram.bot_token, apiRoot: telegram.api_root }
}

/** The lane of the worker that sends to an address of a channel. */
export function laneOf(channels: Channels, name: ChannelName, address: string | null): string {
  const target = address === null ? null : (channels.get(name)?.channel.target?.(address) ?? null)
  return target === null ? name : targetLane(name, target)
}

/**
 * One lane for each channel and one for each of its targets, so that one that is slow or dead delays no other (promise
 * P24). `leftOver` are lanes that have work of an earlier configuration. Captured messages only wait for their commit,
 * so that many may be under way; a channel gets 20 at a time, a target 10.
 */
export function channelLanes(channels: Channels, leftOver: readonly string[] = []): readonly LaneSettings[] {
  const own = [...channels].map(([name, { mode }]) => ({ name, concurrency: mode === 'captured' ? 200 : 20 }))
  const targets = [...channels].flatMap(([name, { channel, mode }]) =>
    (channel.targets ?? []).map((target) => ({
      name: targetLane(name, target),
      concurrency: mode === 'captured' ? 200 : 10,
    })),
  )
  const known = new Set([...own, ...targets].map(({ name }) => name))
  const others = leftOver.filter((name) => !known.has(name))
  return [...own, ...targets, ...others.map((name) => ({ name, concurrency: 10 }))]
}
