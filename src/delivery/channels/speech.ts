import type { Channel, Rendered, RenderInput } from '../channel.ts'
import { contentOf } from '../content.ts'
import { cut, oneLine } from '../text.ts'
import { notConfigured } from './not-configured.ts'

const LONGEST_TEXT = 500

/** Speech in the browser (X07): the sentence that a page reads out. */
export function speechChannel(): Channel {
  return {
    name: 'speech',
    address: () => null,
    render: renderSpeech,
    send: () => Promise.resolve(notConfigured('speech')),
    close: () => Promise.resolve(),
  }
}

function renderSpeech(input: RenderInput): Rendered {
  const content = contentOf(input)
  const said = content.kind === 'fixed' ? content.text : (content.said ?? `${content.title}. ${content.text}`)
  return { text: cut(oneLine(said), LONGEST_TEXT) || content.title, actions: content.actions }
}
