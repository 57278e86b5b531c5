import type { Broker } from '../../broker/broker.ts'
import type { Channel, RenderInput } from '../channel.ts'
import { contentOf } from '../message/content.ts'
import type { MqttPlaceholder } from '../message/mqtt-placeholders.ts'
import { fillPlaceholders, jsonEncoded } from '../message/placeholders.ts'
import { notConfigured } from './not-configured.ts'
import { webhookBody } from './webhook-body.ts'

export interface MqttTopic {
  readonly topic: string
  readonly payload?: string | undefined
  readonly resolved_payload?: string | undefined
  /** 0, 1 or 2. */
  readonly qos: number
  readonly retain: boolean
}

export type MqttBroker = Pick<Broker, 'publishKept'>

export interface MqttSettings {
  readonly topics: readonly MqttTopic[]
  /** Null where nothing is sent. */
  readonly broker: MqttBroker | null
}

/**
 * Sirens, lamps and controllers: a publish in the engine's own name to a configured topic, which is the delivery's
 * address; only subscribers of the delivery's tenant get it. People have no such address; targets such as
 * `mqtt:siren` get theirs where the step is planned.
 *
 * `sent` says that the embedded broker has it, at QoS 1 and 2 stored for sessions that are away; not that anybody
 * subscribes.
 */
export function mqttChannel({ topics, broker }: MqttSettings): Channel {
  const byTopic = new Map(topics.map((topic) => [topic.topic, topic]))
  return {
    name: 'mqtt',
    addresses: () => [],
    render(input) {
      const { title, actions } = contentOf(input)
      const { delivery } = input
      const payload = payloadOf(byTopic.get(delivery.address ?? ''), input)
      const frame = { payload, tenant: delivery.tenant, userId: null }
      return { subject: title, text: payload, actions, frame }
    },
    async send({ address, rendered: { frame } }, signal) {
      const configured = byTopic.get(address)
      // Never to a topic that merely stands in the store: it is no longer among those that may be published to.
      if (broker === null || configured === undefined || frame === undefined) return notConfigured('mqtt')
      if (signal.aborted)
        return { ok: false, retry: true, code: 'timeout', reason: 'Given up before it began' }
      const { retain } = configured
      const qos = configured.qos === 0 || configured.qos === 2 ? configured.qos : 1
      const kept = await broker.publishKept(address, frame.payload, { qos, retain, tenant: frame.tenant })
      if (kept) return { ok: true }
      return {
        ok: false,
        retry: true,
        code: 'unavailable',
        reason: 'The store took it for no session that is away',
      }
    },
    close: () => Promise.resolve(),
  }
}

function payloadOf(topic: MqttTopic | undefined, input: RenderInput): string {
  const over = input.delivery.purpose === 'outcome'
  const template = over ? topic?.resolved_payload : topic?.payload
  if (template === undefined) return JSON.stringify(webhookBody('json', input))
  return fillPlaceholders(template, valuesOf(input), isJson(template) ? jsonEncoded : (text) => text)
}

/** Whether the template is that of an object, a list or a text of JSON, whose values have to be escaped. */
function isJson(template: string): boolean {
  return /^\s*(?:[["]|\{(?!\{))/.test(template)
}

function valuesOf(input: RenderInput): Readonly<Record<MqttPlaceholder, string>> {
  const { alert, notification, title, text } = contentOf(input)
  const { step, subjectId } = input.delivery
  return {
    id: subjectId,
    type: alert?.type ?? notification?.content.type ?? '',
    severity: alert?.severity ?? notification?.content.severity ?? '',
    status: alert?.status ?? '',
    title,
    message: text,
    source: alert?.source ?? '',
    step: step === null ? '' : String(step),
  }
}
