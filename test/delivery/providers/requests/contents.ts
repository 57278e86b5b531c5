import type { RenderInput } from '../../../../src/delivery/channel.ts'
import { alert, notification, person, planned } from '../../../support/messages.ts'

const TEXTS: Readonly<Record<string, string>> = {
  'a short text': 'Disk is full',
  '10 KB': 'The disk of db-1 is full. '.repeat(400),
  '10 KB without a blank': 'x'.repeat(10_240),
  'wide characters': '€ж漢'.repeat(3000),
  emoji: '👩‍👩‍👧‍👦🔥'.repeat(1500),
  'text from the right': 'مرحبا بالعالم \u202e',
  'control characters': 'a\0b\u0007c\r\nd\u001be\u2028f\u0085',
  'nothing but blanks': ' \t\r\n\u00a0\u200b ',
  markup:
    '<@U1> <!channel> @everyone *b* _i_ `c` [x](http://x.example) & </Say><Dial>1</Dial> "q" \'q\''.repeat(
      90,
    ),
  'runs of markup': '<&>'.repeat(4000),
  'signs of markup, one by one': 'a&b<c>'.repeat(2000),
  quotes: `"'\\`.repeat(3000),
  'broken characters': 'a\ud800b\udc00'.repeat(2000),
}

export interface Content {
  readonly title: string
  readonly input: RenderInput
}

/** Everything that can be said, in every kind of text: with all fields, and with none. */
export function contents(publicUrl: string): readonly Content[] {
  return Object.entries(TEXTS).flatMap(([what, text]) =>
    Object.entries(kindsOf(text, publicUrl)).map(([kind, input]) => ({ title: `${kind}, ${what}`, input })),
  )
}

function kindsOf(text: string, publicUrl: string): Readonly<Record<string, RenderInput>> {
  const base = { recipient: person(), fixed: null, publicUrl }
  // Lengths as the door takes them: a type is a level of a topic, sources and systems have 255 characters.
  const short = text.slice(0, 255)
  const full = alert({
    type: short.replaceAll(/[\s/#+]/g, '_').trim() || 'x',
    message: text,
    source: short,
    affectedSystems: Array.from({ length: 100 }, () => short),
    data: { text, nested: { list: [text, 1, null, true] } },
  })
  const bare = alert({ message: text, source: '', affectedSystems: [], team: null })
  const subject = (of: typeof full) => ({ kind: 'alert', alert: of }) as const
  const outcome = planned({ purpose: 'outcome' }).delivery
  const message = planned({ subjectKind: 'notification', subjectId: 'n1', purpose: 'message' }).delivery
  const told = notification({
    title: short,
    message: text,
    actionUrl: `/orders/${encodeURIComponent('ä b')}`,
  })
  const direct = planned({
    subjectKind: 'direct',
    subjectId: 'd1',
    purpose: 'message',
    userId: null,
  }).delivery
  const page = planned({ step: 2 }).delivery
  return {
    'a page with everything': { ...base, delivery: page, subject: subject(full) },
    'a page with nothing': { ...base, delivery: page, subject: subject(bare) },
    'a page about no time': { ...base, delivery: page, subject: subject({ ...bare, createdAt: NaN }) },
    'a notice': {
      ...base,
      delivery: planned({ purpose: 'message' }).delivery,
      subject: subject({ ...full, severity: 'warning' }),
    },
    'a resolution': { ...base, delivery: outcome, subject: subject({ ...full, status: 'resolved' }) },
    'an acknowledgement': {
      ...base,
      delivery: outcome,
      subject: subject({ ...full, status: 'acknowledged', acknowledgedBy: 'bob' }),
      fixed: { subject: short, text },
    },
    'a notification': { ...base, delivery: message, subject: { kind: 'notification', notification: told } },
    'a direct message': {
      ...base,
      delivery: direct,
      subject: { kind: 'direct' },
      recipient: null,
      fixed: { subject: short, text, html: text },
    },
    'a direct message without a title': {
      ...base,
      delivery: direct,
      subject: { kind: 'direct' },
      recipient: null,
      fixed: { text },
    },
  }
}
