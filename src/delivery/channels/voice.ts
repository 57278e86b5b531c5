import { parsePhone } from '../address.ts'
import type { Channel, Rendered, RenderInput } from '../channel.ts'
import { contentOf } from '../content.ts'
import { cut, oneLine } from '../text.ts'
import { notConfigured } from './not-configured.ts'

/** About a minute of speech. */
const LONGEST_TEXT = 900
const KEYS = 'Press 4 to acknowledge, 6 to escalate, 5 to resolve.'

/** Phone calls: the text is spoken, keys answer it. Rendered and kept; there is no provider behind it yet. */
export function voiceChannel(): Channel {
  return {
    name: 'voice',
    address: (recipient) => (recipient.phone === undefined ? null : parsePhone(recipient.phone)),
    render: renderVoice,
    send: () => Promise.resolve(notConfigured('voice')),
    close: () => Promise.resolve(),
  }
}

function renderVoice(input: RenderInput): Rendered {
  const content = contentOf(input)
  // A voice reads `disk_full` letter by letter, or swallows it.
  const opening =
    content.alert && content.kind !== 'outcome' ? content.title.replaceAll('_', ' ') : content.title
  const said = cut(
    oneLine(content.kind === 'fixed' ? content.text : `${opening}. ${content.text}`),
    LONGEST_TEXT,
  )
  const sentence = said || content.title
  return {
    text: content.kind === 'page' ? `${sentence.replace(/[.\s]*$/, '.')} ${KEYS}` : sentence,
    actions: content.actions,
  }
}
