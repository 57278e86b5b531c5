import { expect } from 'chai'
import type { Channel, RenderInput } from '../../src/delivery/channel.ts'
import { alert, notification, person, planned, seeded } from './messages.ts'

/** Texts as nobody should send them. */
export const HOSTILE: readonly string[] = [
  '',
  ' ',
  '\0',
  '\r\nBcc: x@y.example\r\n\r\n.\r\n',
  '<script>alert(1)</script>"\'&amp;',
  '\u202eevil\u2066\u200f',
  'مرحبا بالعالم',
  '👩‍👩‍👧‍👦'.repeat(200),
  '\ud800 lone \udc00',
  '%00%0d%0a{{7*7}}${7*7}',
  'javascript:alert(1)',
  'x'.repeat(100_000),
  '€'.repeat(100_000),
]

/** Strings of seeded length and code units: the same in every run, well-formed or not. */
function randomTexts(count: number): string[] {
  const random = seeded(20_260_105)
  const unit = () => Math.floor(random() * (random() < 0.5 ? 128 : 65_536))
  return Array.from({ length: count }, () =>
    String.fromCharCode(...Array.from({ length: Math.floor(random() * 200) }, unit)),
  )
}

/** Every way in which a text of somebody else can reach a channel. */
function inputs(text: string): RenderInput[] {
  const base = {
    recipient: person({ name: text, timezone: text }),
    fixed: null,
    publicUrl: 'http://localhost:8080',
  }
  const hostile = alert({ id: text, type: text, message: text, source: text, affectedSystems: [text, text] })
  const message = notification({ title: text, message: text, actionUrl: text })
  const fixed = { subject: text, text, html: text }
  return [
    { ...base, delivery: planned().delivery, subject: { kind: 'alert', alert: hostile } },
    {
      ...base,
      delivery: planned().delivery,
      subject: { kind: 'alert', alert: { ...hostile, createdAt: NaN } },
    },
    {
      ...base,
      delivery: planned({ purpose: 'message' }).delivery,
      subject: { kind: 'alert', alert: hostile },
    },
    {
      ...base,
      delivery: planned({ purpose: 'outcome' }).delivery,
      subject: { kind: 'alert', alert: hostile },
      fixed,
    },
    {
      ...base,
      delivery: planned({ purpose: 'outcome' }).delivery,
      subject: { kind: 'alert', alert: hostile },
    },
    {
      ...base,
      delivery: planned({ subjectKind: 'notification', purpose: 'message' }).delivery,
      subject: { kind: 'notification', notification: message },
      publicUrl: text,
    },
    {
      ...base,
      delivery: planned().delivery,
      subject: { kind: 'alert', alert: hostile },
      wording: { title: text, text, html: text, alone: text.length % 2 === 0 },
    },
    {
      ...base,
      delivery: planned({ subjectKind: 'direct', purpose: 'message', userId: null }).delivery,
      subject: { kind: 'direct' },
      recipient: null,
      fixed,
    },
    {
      ...base,
      delivery: planned({ subjectKind: 'direct', purpose: 'message' }).delivery,
      subject: { kind: 'direct' },
      fixed: null,
    },
  ]
}

/** What every channel keeps to, whatever it sends over. `open` makes one that reaches no provider. */
export function channelConformance(title: string, open: () => Channel): void {
  describe(`${title} as a channel`, () => {
    it('renders hostile content of any kind without throwing, and never to nothing', () => {
      const channel = open()
      for (const text of [...HOSTILE, ...randomTexts(60)]) {
        for (const input of inputs(text)) {
          const rendered = channel.render(input)
          const direct = input.subject.kind === 'direct' && channel.name === 'email'
          if (!direct) expect(rendered.text, JSON.stringify(text.slice(0, 40))).to.not.equal('')
          expect(rendered.subject ?? '').to.not.match(/[\r\n\0]/)
          // JSON is read by programs, which get the data as it is.
          if (channel.name === 'webhook' || channel.name === 'mqtt')
            expect(() => void JSON.parse(rendered.text)).to.not.throw()
          else expect(rendered.text).to.not.match(/[\0\r\u202e\u2066]/)
        }
      }
    })

    it('gives the same form every time (P8)', () => {
      const channel = open()
      for (const input of inputs('Disk is full')) {
        expect(channel.render(input)).to.deep.equal(channel.render(input))
      }
    })

    it('asks for an acknowledgement on pages and on nothing else (contract section 6)', () => {
      const channel = open()
      for (const input of inputs('Disk is full')) {
        const ids = channel.render(input).actions.map((action) => action.id)
        if (input.delivery.purpose === 'page') expect(ids).to.deep.equal(['ack', 'escalate', 'resolve'])
        else expect(ids).to.not.include('ack')
      }
    })

    it('has an address for a reachable person only, and throws for none', () => {
      const channel = open()
      for (const text of [...HOSTILE, ...randomTexts(20)]) {
        // An id that is no level of a topic could be reached by everybody, or nobody.
        expect(channel.addresses(person({ id: 'a/b', email: text, phone: text }))).to.deep.equal([])
      }
    })

    it('answers a send whose signal has aborted instead of throwing or hanging', async () => {
      const channel = open()
      const [input] = inputs('Disk is full')
      if (!input) throw new Error('no input')
      const message = {
        idempotencyKey: 'a1.1',
        address: 'anna@example.org',
        rendered: channel.render(input),
        critical: true,
      }
      expect(await channel.send(message, AbortSignal.abort())).to.have.property('ok', false)
      await channel.close()
    })

    it('closes twice without harm', async () => {
      const channel = open()
      await channel.close()
      await channel.close()
    })
  })
}
