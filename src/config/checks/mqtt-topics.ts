import { validTopic } from '../../access/topic-filter.ts'
import { OWN_PREFIXES } from '../../core.ts'
import { MQTT_PLACEHOLDERS } from '../../delivery/message/mqtt-placeholders.ts'
import { placeholdersOf } from '../../delivery/message/placeholders.ts'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'
import { suggest } from '../suggest.ts'

/** First levels on which only the product speaks: a publish there would pass for its own word. */
const TAKEN: ReadonlySet<string> = new Set([...OWN_PREFIXES, 'state', 'receipts', 'dlq'])

/** Topics that sirens and lamps listen to are plain topics, each configured once, and their payloads can be filled. */
export function checkMqttTopics({ channels: { mqtt } }: Config): Finding[] {
  const seen = new Map<string, string>()
  return Object.entries(mqtt.topics).flatMap(([name, given]) => {
    const path = ['channels', 'mqtt', 'topics', name]
    const twin = seen.get(given.topic)
    seen.set(given.topic, name)
    // Payload and QoS are found by the topic.
    const wrong = topicFault(given.topic) ?? (twin === undefined ? null : `is the topic of ${twin} too`)
    return [
      ...(wrong === null ? [] : [{ path: [...path, 'topic'], message: wrong }]),
      ...(['payload', 'resolved_payload'] as const).flatMap((key) =>
        placeholdersOf(given[key] ?? '')
          .filter((asked) => !MQTT_PLACEHOLDERS.some((known) => known === asked))
          .map((asked) => ({
            path: [...path, key],
            message: `unknown placeholder "${asked}"`,
            suggestion: suggest(asked, MQTT_PLACEHOLDERS),
          })),
      ),
    ]
  })
}

function topicFault(topic: string): string | null {
  if (!validTopic(topic)) return `"${topic}" is no topic such as plant/siren/set, without + and #`
  const [first = ''] = topic.split('/', 1)
  if (first.startsWith('$')) return `topics below ${first} belong to the broker`
  return TAKEN.has(first) ? `${first}/ is the product's own; use another topic` : null
}
