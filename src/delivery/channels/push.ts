import type { Channel, Rendered, RenderInput } from '../channel.ts'
import { contentOf } from '../content.ts'
import { cut, multiLine } from '../text.ts'
import { notConfigured } from './not-configured.ts'

/** FCM, APNs and web push all stop at about 4 KB for the whole message. */
const LONGEST_TITLE = 200
const LONGEST_BODY = 1000

/**
 * Notifications on phones (`push`) and in browsers (`web_push`): a title and a body. Nobody has an address until
 * devices can be registered, so that a channel without a device never counts as used (section 1.6 fault 7).
 */
export function pushChannel(name: 'push' | 'web_push'): Channel {
  return {
    name,
    address: () => null,
    render: renderPush,
    send: () => Promise.resolve(notConfigured(name)),
    close: () => Promise.resolve(),
  }
}

function renderPush(input: RenderInput): Rendered {
  const content = contentOf(input)
  return {
    subject: cut(content.title, LONGEST_TITLE),
    text: cut(multiLine(content.text), LONGEST_BODY) || content.title,
    actions: content.actions,
  }
}
