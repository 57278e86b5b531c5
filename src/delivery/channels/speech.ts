import { literalLevel } from '../../access/topic-filter.ts'
import type { Broker } from '../../broker/broker.ts'
import { oneAddress, type Channel, type Rendered, type RenderInput } from '../channel.ts'
import { alertTitle, contentOf, type Content } from '../message/content.ts'
import { cut, oneLine } from '../message/text.ts'
import { notConfigured } from './not-configured.ts'

/** About half a minute of speech. */
const LONGEST_TEXT = 500

/** How an alert is announced; other languages get the English words around the publisher's own. */
const ANNOUNCED = {
  en: { critical: 'Critical alert', warning: 'Warning', info: 'Information', resolved: 'Resolved' },
  de: { critical: 'Kritischer Alarm', warning: 'Warnung', info: 'Hinweis', resolved: 'Erledigt' },
} as const

/** Publishes to open pages; absent, nothing is sent. */
export type SpeechBroker = Pick<Broker, 'publish' | 'hears'>

/**
 * Speech in the browser (X07, X29): a sentence that an open page of the person reads out, as
 * `{type: "speech", id, text, lang, severity?, alert_id?, notification_id?}` on `users/{id}/events/speech`. `lang` is
 * the person's locale; `id` is the delivery's, so that a page that gets it twice says it once.
 *
 * A sentence is of the moment. When no page of the person is open it ends as `suppressed` with reason
 * `not_connected` instead of waiting: read out an hour later it would raise an alarm that is over, and `sent` would
 * say that somebody was told.
 */
export function speechChannel(broker: SpeechBroker | null): Channel {
  return {
    name: 'speech',
    addresses: ({ id }) => oneAddress(literalLevel(id) ? `users/${id}/events/speech` : null),
    render: renderSpeech,
    async send({ address, rendered: { frame } }, signal) {
      if (broker === null || !frame || frame.userId === null) return notConfigured('speech')
      if (signal.aborted)
        return { ok: false, retry: true, code: 'timeout', reason: 'Given up before it began' }
      if (!broker.hears(frame.userId, address))
        return {
          ok: false,
          retry: false,
          code: 'not_connected',
          reason: 'No page of the person is open',
          suppressed: true,
        }
      broker.publish(address, frame.payload, { qos: 1, tenant: frame.tenant, passing: true })
      return { ok: true }
    },
    close: () => Promise.resolve(),
  }
}

function renderSpeech(input: RenderInput): Rendered {
  const content = contentOf(input)
  const { delivery, recipient } = input
  const lang = recipient?.locale ?? 'en'
  const text = cut(oneLine(sentence(content, lang)), LONGEST_TEXT) || content.title
  const severity = content.alert?.severity ?? content.notification?.content.severity
  const payload = JSON.stringify({
    type: 'speech',
    id: delivery.id,
    text,
    lang,
    ...(severity !== undefined && { severity }),
    ...(delivery.subjectKind === 'alert' && { alert_id: delivery.subjectId }),
    ...(delivery.subjectKind === 'notification' && { notification_id: delivery.subjectId }),
  })
  const frame = { payload, tenant: delivery.tenant, userId: delivery.userId }
  return { text, actions: content.actions, frame }
}

/** What, how bad, and why, in this order; nothing that a voice would spell letter by letter. */
function sentence({ kind, alert, title, text, said }: Content, lang: string): string {
  if (kind === 'fixed') return text
  if (said !== null) return said
  // A template's title stands as it is.
  if (!alert || (kind !== 'outcome' && title !== alertTitle(alert))) return parts(title, text)
  const over = kind === 'outcome' && alert.status === 'resolved'
  const word = over ? 'resolved' : alert.severity
  if (kind === 'outcome' && !over) return parts(title.replaceAll('_', ' '), text)
  return parts(`${announced(lang)[word]}: ${alert.type.replaceAll(/[_-]+/g, ' ')}`, text)
}

function announced(lang: string): (typeof ANNOUNCED)[keyof typeof ANNOUNCED] {
  return /^de\b/i.test(lang) ? ANNOUNCED.de : ANNOUNCED.en
}

function parts(first: string, second: string): string {
  return second === '' ? first : `${first.replace(/[.\s]+$/, '')}. ${second}`
}
