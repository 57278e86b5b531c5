import { noAlarm, type OperatorAlarm } from '../../alert/operator-alarm.ts'
import type { Clock } from '../../clock.ts'
import type { Config } from '../../config/schema/schema.ts'
import type { Channel, ChannelMode } from '../channel.ts'
import type { ChannelName } from '../delivery.ts'
import type { OnAmbiguous } from '../attempt/ambiguity.ts'
import type { BotSettings } from '../telegram/bot.ts'
import { targetLane } from '../plan.ts'
import type { HealthOf } from '../worker/target-health.ts'
import type { LaneSettings } from '../worker/worker.ts'
import { createAttachments } from '../outgoing/attachments.ts'
import { createOutgoing } from '../outgoing/outgoing.ts'
import { emailChannel } from './email.ts'
import { createFcm, type Fcm } from '../push/fcm.ts'
import { PUSH_SERVICES } from '../push/push-services.ts'
import { parseServiceAccount } from '../push/service-account.ts'
import type { Vapid } from '../push/vapid.ts'
import { pushChannel, type KnownDevices } from './push.ts'
import { mqttChannel, type MqttBroker } from './mqtt.ts'
import { smsChannel } from './sms.ts'
import { speechChannel, type SpeechBroker } from './speech.ts'
import { telegramChannel } from './telegram.ts'
import { voiceChannel } from './voice.ts'
import { webPushChannel } from './web-push.ts'
import { webhookChannel } from './webhook.ts'

export type Channels = ReadonlyMap<ChannelName, ConfiguredChannel>

export interface ConfiguredChannel {
  readonly channel: Channel
  readonly mode: ChannelMode
  /** As configured; absent, as the channel's costs suggest. */
  readonly onAmbiguous?: OnAmbiguous
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
    readonly devices: KnownDevices
    /** Who we are to the push services of browsers. */
    readonly vapid: Vapid | null
    /** Absent, nobody hears of a refused VAPID key. */
    readonly alarm?: OperatorAlarm
    /** The embedded broker, for what is told over it. */
    readonly broker?: SpeechBroker & MqttBroker
  },
): Channels {
  const { email, sms, voice, push, web_push: webPush, telegram, webhook, mqtt } = channels
  const { clock, healthOf, publicUrl, devices, vapid, broker = null } = reached
  const list: readonly ConfiguredChannel[] = [
    {
      channel: emailChannel({
        ...mailProvider(email),
        from: email.from,
        attachments: attachmentsOf(email.attachments),
      }),
      mode: email.mode,
    },
    { channel: smsChannel({ sms, publicUrl, clock, healthOf }), mode: sms.mode },
    { channel: voiceChannel({ voice, publicUrl }), mode: voice.mode },
    { channel: pushChannel({ fcm: fcmOf(push, clock), devices }), mode: push.mode },
    {
      channel: webPushChannel({
        vapid,
        allow: webPush.allow,
        devices,
        outgoing: createOutgoing({ allow: webPush.allow, setting: PUSH_SERVICES }),
        clock,
        alarm: reached.alarm ?? noAlarm,
      }),
      mode: webPush.mode,
    },
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
  return new Map(
    list.map((entry) => {
      const { name } = entry.channel
      const onAmbiguous = name === 'realtime' ? undefined : channels[name].on_ambiguous
      return [name, { ...entry, ...(onAmbiguous !== undefined && { onAmbiguous }) }]
    }),
  )
}

/** FCM, where it is live. */
function fcmOf(push: Config['channels']['push'], clock: Pick<Clock, 'now'>): Fcm | null {
  if (push.mode === 'captured' || push.service_account === undefined) return null
  const account = parseServiceAccount(push.service_account)
  // A checked configuration has one that can be read.
  if (typeof account === 'string') return null
  return createFcm({ account, baseUrl: push.base_url, tokenUrl: push.token_url }, clock)
}

/** Through whom mails go. A checked configuration names all of it. */
function mailProvider(email: Config['channels']['email']) {
  const { provider, domain, api_key: apiKey, base_url: baseUrl, smtp_url: smtpUrl } = email
  if (provider === 'smtp') return { smtpUrl }
  const known = domain !== undefined && apiKey !== undefined
  return { smtpUrl: undefined, ...(known && { mailgun: { domain, apiKey, baseUrl } }) }
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
