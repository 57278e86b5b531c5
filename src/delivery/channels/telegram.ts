import type { Channel, Rendered, RenderInput } from '../channel.ts'
import { contentOf } from '../content.ts'
import { cut } from '../text.ts'
import { notConfigured } from './not-configured.ts'

/** The Bot API's limit of a message is 4096 UTF-16 units; the rest is room for the title and the link. */
const LONGEST_TEXT = 3500

/** Telegram messages as plain text, because its markup has no safe way to carry foreign text. */
export function telegramChannel(): Channel {
  return {
    name: 'telegram',
    address: () => null,
    render: renderTelegram,
    send: () => Promise.resolve(notConfigured('telegram')),
    close: () => Promise.resolve(),
  }
}

function renderTelegram(input: RenderInput): Rendered {
  const content = contentOf(input)
  const facts = content.facts.filter(([label]) => label === 'Source' || label === 'Affected systems')
  const lines = [
    content.kind === 'fixed' ? '' : content.title,
    cut(content.text, LONGEST_TEXT),
    ...facts.map(([label, value]) => `${label}: ${cut(value, 100)}`),
    content.link && content.link.url.length <= 200 ? content.link.url : '',
  ]
  return { text: lines.filter(Boolean).join('\n') || content.title, actions: content.actions }
}
