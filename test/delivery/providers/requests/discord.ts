import type { RequestFacts } from './request-facts.ts'
import { text, type Shape } from './shape.ts'

const EMBED: Shape = {
  kind: 'object',
  required: {},
  optional: {
    title: text(256),
    description: text(4096),
    // A name without a dot is "not a well formed URL" to Discord, which then refuses everything.
    url: text(2048, { form: /^https?:\/\/[^\s/.]+\.[^\s/]+/ }),
    color: { kind: 'whole', least: 0, most: 0xffffff },
    fields: {
      kind: 'list',
      least: 0,
      most: 25,
      of: {
        kind: 'object',
        required: { name: text(256), value: text(1024) },
        optional: { inline: { kind: 'flag' } },
      },
    },
  },
}

export const DISCORD: RequestFacts = {
  title: 'a webhook of Discord',
  pages: [
    'https://docs.discord.com/developers/resources/webhook#execute-webhook',
    'https://docs.discord.com/developers/resources/message#embed-object-embed-limits',
    'https://github.com/discord/discord-api-spec (IncomingWebhookRequestPartial)',
  ],
  method: 'POST',
  path: /^\/api\/webhooks\/[0-9]{17,20}\/[A-Za-z0-9_-]+$/,
  headers: { 'content-type': /^application\/json\b/ },
  encoding: 'json',
  body: {
    kind: 'object',
    required: {
      content: text(2000),
      // Nobody is to be mentioned: not even `@everyone` in a foreign text.
      allowed_mentions: { kind: 'exactly', value: { parse: [] } },
    },
    optional: { embeds: { kind: 'list', of: EMBED, least: 1, most: 10 } },
  },
  rules({ embeds }) {
    const length = textsIn(embeds, ['title', 'description', 'name', 'value'])
    return length > 6000 ? [`embeds: have ${length} of 6000 characters`] : []
  },
}

/** The length of all texts under these names, at any depth. */
function textsIn(value: unknown, names: readonly string[]): number {
  if (typeof value !== 'object' || value === null) return 0
  return Object.entries(value).reduce(
    (sum, [name, item]) =>
      sum + (typeof item === 'string' ? (names.includes(name) ? item.length : 0) : textsIn(item, names)),
    0,
  )
}
