import type { Clock } from '../../clock.ts'
import type { Config } from '../../config/schema.ts'
import type { Channel, ChannelMode } from '../channel.ts'
import type { ChannelName } from '../delivery.ts'
import { createOptOuts, type OptOuts } from '../opt-outs.ts'
import type { BotSettings } from '../telegram/bot.ts'
import type { LaneSettings } from '../worker.ts'
import { createAttachments } from '../outgoing/attachments.ts'
import { createOutgoing } from '../outgoing/outgoing.ts'
import { emailChannel } from './email.ts'
import { mqttChannel } from './mqtt.ts'
import { pushChannel } from './push.ts'
import { smsChannel } from './sms.ts'
import { speechChannel, type SpeechBroker } from './speech.ts'
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
    readonly publicUrl?: string | undefined
    readonly optOuts?: OptOuts
    /** The embedded broker, for what is told over it. */
    readonly broker?: SpeechBroker
  },
): Channels {
  const { email, sms, voice, telegram, webhook, mqtt } = channels
  const { clock, publicUrl, optOuts = createOptOuts(), broker = null } = reached
  const list: readonly ConfiguredChannel[] = [
    {
      channel: emailChannel({
        smtpUrl: email.smtp_url,
        from: email.from,
        attachments: attachmentsOf(email.attachments),
      }),
      mode: email.mode,
    },
    { channel: smsChannel({ sms, publicUrl, optOuts }), mode: sms.mode },
    { channel: voiceChannel({ voice, publicUrl }), mode: voice.mode },
    { channel: pushChannel('push'), mode: channels.push.mode },
    { channel: pushChannel('web_push'), mode: channels.web_push.mode },
    { channel: telegramChannel(botSettings(telegram)), mode: telegram.mode },
    {
      channel: webhookChannel({
        endpoints: Object.entries(webhook.endpoints).map(([name, { routing_key: routingKey, ...rest }]) => ({
          name,
          routingKey,
          ...rest,
        })),
        outgoing: createOutgoing({ allow: webhook.allow }),
        clock,
      }),
      mode: webhook.mode,
    },
    { channel: speechChannel(broker), mode: channels.speech.mode },
    { channel: mqttChannel({ topics: Object.values(mqtt.topics), broker }), mode: mqtt.mode },
  ]
  return new Map(list.map((entry) => [entry.channel.name, entry]))
}

function attachmentsOf({ allow, max_bytes: maxBytes }: Config['channels']['email']['attachments']) {
  return createAttachments({
    outgoing: createOutgoing({ allow, setting: 'channels.email.attachments.allow' }),
    maxBytes,
  })
}

/** The bot of the configuration, or null where there is none. */
export function botSettings(telegram: Config['channels']['telegram']): BotSettings | null {
  if (telegram.bot_token === undefined) return null
  return { token: telegram.bot_token, apiRoot: telegram.api_root }
}

/** The channels that send nothing. */
export function capturedOf(channels: Channels): ReadonlySet<ChannelName> {
  return new Set([...channels].filter(([, { mode }]) => mode === 'captured').map(([name]) => name))
}

/** Captured messages only wait for their commit, so that many may be under way; a provider gets 20 at a time. */
export function channelLanes(channels: Channels): readonly LaneSettings[] {
  return [...channels].map(([name, { mode }]) => ({ name, concurrency: mode === 'captured' ? 200 : 20 }))
}
