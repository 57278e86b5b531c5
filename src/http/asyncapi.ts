import type { TSchema } from 'typebox'
import { COREBANQ_FRAME, FRAMES, HEARTBEAT_FRAME } from './live-frames.ts'

/** One row of the topic table: a pattern with `{name}` for one level and `{name...}` for the rest. */
export interface TopicEntry {
  readonly pattern: string
  /** As the client sees it. */
  readonly direction: 'publish' | 'subscribe'
  readonly summary: string
  readonly qos: 0 | 1 | 2
  readonly retained?: boolean
  /** JSON Schema of the payload; absent where anything goes. */
  readonly payload?: TSchema
  /** One that the payload allows. */
  readonly example?: unknown
}

export interface AsyncApiOptions {
  readonly version: string
  /** Host and port, without a scheme. */
  readonly mqttHost: string
  readonly httpHost: string
}

/** The AsyncAPI 3.1 document of topics and frames: what AsyncAPI calls `receive` is what clients publish. */
export function asyncApiDocument(topics: readonly TopicEntry[], options: AsyncApiOptions) {
  const rows = topics.map((topic) => [nameOf(topic), topic] as const)
  const streams = streamsOf()
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Carillon',
      version: options.version,
      description:
        'Topics to publish to and to subscribe to, and the frames of live connections. A publish is acknowledged once it is stored.',
    },
    defaultContentType: 'application/json',
    servers: {
      tcp: { host: options.mqttHost, protocol: 'mqtt', protocolVersion: '3.1.1' },
      websocket: {
        host: options.httpHost,
        pathname: '/mqtt',
        protocol: 'ws',
        description: 'MQTT over WebSocket',
      },
      http: { host: options.httpHost, protocol: 'http', description: '`/ws` and event streams' },
    },
    channels: {
      ...Object.fromEntries(rows.map(([name, topic]) => [name, channelOf(name, topic)])),
      ...streams.channels,
    },
    operations: {
      ...Object.fromEntries(rows.map(([name, topic]) => [name, operationOf(name, topic)])),
      ...streams.operations,
    },
    components: {
      messages: {
        ...Object.fromEntries(rows.map(([name, topic]) => [name, messageOf(name, topic)])),
        ...streams.messages,
      },
    },
  }
}

const MQTT_SERVERS = [{ $ref: '#/servers/tcp' }, { $ref: '#/servers/websocket' }]

/** Live connections that are not MQTT, and who says what on them. */
const STREAMS = [
  { name: 'ws', address: '/ws', summary: 'JSON frames over WebSocket', from: FRAMES, to: [HEARTBEAT_FRAME] },
  {
    name: 'v1-events',
    address: '/v1/events',
    summary: 'The same frames as server-sent events: `event`, `id` and `data`',
    from: FRAMES.filter(({ name }) => name !== 'heartbeat'),
    to: [],
  },
  {
    name: 'v1-notifications-sse',
    address: '/v1/notifications/sse',
    summary: 'Notifications alone as server-sent events, in the words of the CoreBanq document (C09)',
    from: [COREBANQ_FRAME],
    to: [],
  },
] as const

function streamsOf() {
  const both = STREAMS.flatMap(({ name, from, to, ...rest }) => [
    { ...rest, action: 'send', key: `from-${name}`, frames: from },
    ...(to.length > 0 ? [{ ...rest, action: 'receive', key: `to-${name}`, frames: to }] : []),
  ])
  return {
    channels: Object.fromEntries(
      both.map(({ key, address, summary, frames }) => [
        key,
        {
          address,
          description: summary,
          servers: [{ $ref: '#/servers/http' }],
          messages: Object.fromEntries(
            frames.map(({ name }) => [name, { $ref: `#/components/messages/${key}-${name}` }]),
          ),
        },
      ]),
    ),
    operations: Object.fromEntries(
      both.map(({ key, action, frames }) => [
        key,
        {
          action,
          channel: { $ref: `#/channels/${key}` },
          messages: frames.map(({ name }) => ({ $ref: `#/channels/${key}/messages/${name}` })),
        },
      ]),
    ),
    messages: Object.fromEntries(
      both.flatMap(({ key, frames }) =>
        frames.map(({ name, ...frame }) => [`${key}-${name}`, messageOf(`${key}-${name}`, frame)]),
      ),
    ),
  }
}

/** A key that is stable, unique per direction and pattern, and allowed by the specification. */
function nameOf({ direction, pattern }: TopicEntry): string {
  const words = pattern
    .replaceAll('...', '')
    .replaceAll(/[{}]/g, '')
    .replaceAll(/[^A-Za-z0-9_]+/g, '-')
  return `${direction === 'publish' ? 'to' : 'from'}-${words}`
}

/** AsyncAPI has no placeholder for several levels; the summary says that it is one. */
function channelOf(name: string, { pattern, summary }: TopicEntry) {
  const parameters = [...pattern.matchAll(/\{([^}]+)\}/g)].map(([, parameter = '']) => parameter)
  return {
    address: pattern.replaceAll('...}', '}'),
    description: summary,
    servers: MQTT_SERVERS,
    messages: { message: { $ref: `#/components/messages/${name}` } },
    ...(parameters.length > 0 && {
      parameters: Object.fromEntries(
        parameters.map((parameter) => [
          parameter.replace('...', ''),
          { description: parameter.endsWith('...') ? 'One or more levels' : 'One level' },
        ]),
      ),
    }),
  }
}

function operationOf(name: string, { direction, qos, retained = false }: TopicEntry) {
  return {
    action: direction === 'publish' ? 'receive' : 'send',
    channel: { $ref: `#/channels/${name}` },
    messages: [{ $ref: `#/channels/${name}/messages/message` }],
    bindings: { mqtt: { qos, retain: retained, bindingVersion: '0.2.0' } },
  }
}

function messageOf(
  name: string,
  { summary, payload, example }: Pick<TopicEntry, 'summary' | 'payload' | 'example'>,
) {
  return {
    name,
    summary,
    contentType: 'application/json',
    ...(payload && { payload: withoutIds(payload) }),
    ...(example !== undefined && { examples: [{ payload: example }] }),
  }
}

/** One schema stands in several messages, and an id may stand in a document once. */
function withoutIds(schema: TSchema): unknown {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => (key === '$id' ? undefined : value))
}
