import type { RequestFacts } from './request-facts.ts'
import { link, oneOf, text, type Shape } from './shape.ts'

const plain = (longest: number): Shape => ({
  kind: 'object',
  required: { type: { kind: 'exactly', value: 'plain_text' }, text: text(longest) },
  optional: { emoji: { kind: 'flag' } },
})

const BUTTON: Shape = {
  kind: 'object',
  required: { type: { kind: 'exactly', value: 'button' }, text: plain(75) },
  optional: {
    url: link(3000),
    action_id: text(255),
    value: text(2000),
    style: oneOf('primary', 'danger'),
  },
}

const block = (
  required: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>>,
): Shape => ({
  kind: 'object',
  required: { type: oneOf('header', 'section', 'actions'), ...required },
  optional: { block_id: text(255), ...optional },
})

const BLOCK: Shape = {
  kind: 'one of',
  by: 'type',
  shapes: {
    header: block({ text: plain(150) }, {}),
    section: block({}, { text: plain(3000), fields: { kind: 'list', of: plain(2000), least: 1, most: 10 } }),
    actions: block({ elements: { kind: 'list', of: BUTTON, least: 1, most: 25 } }, {}),
  },
}

export const SLACK: RequestFacts = {
  title: 'an incoming webhook of Slack',
  pages: [
    'https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks',
    'https://docs.slack.dev/reference/block-kit/blocks and its pages on header, section and actions',
    'https://docs.slack.dev/reference/block-kit/block-elements/button-element',
  ],
  method: 'POST',
  path: /^\/services\/T[A-Z0-9]+\/B[A-Z0-9]+\/[A-Za-z0-9]+$/,
  headers: { 'content-type': /^application\/json\b/ },
  encoding: 'json',
  body: {
    kind: 'object',
    required: {
      // Markup, in which everything between angle brackets is a link or a mention.
      text: text(40_000, { form: /^[^<>]*$/ }),
      blocks: { kind: 'list', of: BLOCK, least: 1, most: 50 },
    },
  },
  rules: ({ text: fallback, blocks }) => [
    ...(/&(?!(amp|lt|gt);)/.test(String(fallback)) ? ['a bare ampersand in the markup'] : []),
    ...(Array.isArray(blocks) && blocks.some((each) => isBareSection(each))
      ? ['a section without content']
      : []),
  ],
}

function isBareSection(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Reflect.get(value, 'type') === 'section' && !('text' in value) && !('fields' in value)
}
