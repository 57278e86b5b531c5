import type { TSchema } from 'typebox'

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
  readonly example?: Readonly<Record<string, unknown>>
}

export interface AsyncApiOptions {
  readonly version: string
  /** Host and port, without a scheme. */
  readonly mqttHost: string
  readonly httpHost: string
}

/** The AsyncAPI 3.0 document of the topics: what AsyncAPI calls `receive` is what clients publish. */
export function asyncApiDocument(topics: readonly TopicEntry[], options: AsyncApiOptions) {
  const rows = topics.map((topic) => [nameOf(topic), topic] as const)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Carillon',
      version: options.version,
      description: 'Topics to publish to and to subscribe to. A publish is acknowledged once it is stored.',
    },
    defaultContentType: 'application/json',
    servers: {
      tcp: { host: options.mqttHost, protocol: 'mqtt', protocolVersion: '3.1.1' },
      websocket: { host: options.httpHost, pathname: '/mqtt', protocol: 'ws' },
    },
    channels: Object.fromEntries(rows.map(([name, topic]) => [name, channelOf(name, topic)])),
    operations: Object.fromEntries(rows.map(([name, topic]) => [name, operationOf(name, topic)])),
    components: {
      messages: Object.fromEntries(rows.map(([name, topic]) => [name, messageOf(name, topic)])),
    },
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

function messageOf(name: string, { summary, payload, example }: TopicEntry) {
  return {
    name,
    summary,
    contentType: 'application/json',
    ...(payload && { payload: JSON.parse(JSON.stringify(payload)) as unknown }),
    ...(example && { examples: [{ payload: example }] }),
  }
}
