import { expect } from 'chai'
import { Fault } from '../../src/errors.ts'
import type { EventChannels } from '../../src/notipy/events.ts'
import { planSend, type ChannelRequest } from '../../src/notipy/plan-send.ts'
import { createTemplateCache } from '../../src/template/template-cache.ts'

const CHANNELS: EventChannels = {
  email: {
    subject: 'Order {{ number }}',
    is_html: true,
    content: '<p>Dear {{ name }},<br>bye</p>',
    no_of_attachments: 1,
  },
  sms: { content: 'Order {{ number }}' },
}
const PLAIN: EventChannels = {
  email: { subject: 'Hello', is_html: false, content: 'Plain', no_of_attachments: 0 },
}

const compile = createTemplateCache()
const rules = { compile, premium: false }

function refusal(
  request: ChannelRequest,
  channel: 'email' | 'sms' | 'push' = 'email',
  channels = CHANNELS,
): string {
  try {
    planSend(channels, channel, request, rules)
  } catch (error) {
    if (error instanceof Fault && error.code === 'notipy.invalid') return error.message
    throw error
  }
  return 'sent'
}

describe('what a service sends', () => {
  const right = {
    to_email: ['anna@example.org'],
    metadata: { number: 7, name: 'A' },
    attachments: ['https://files.example.org/a.pdf'],
  }
  const refusals: readonly (readonly [why: string, change: object, message: string])[] = [
    ['no address', { to_email: undefined }, 'to_email is required'],
    ['an empty list of addresses', { to_email: [] }, 'to_email is required'],
    ['an empty address', { to_email: '' }, 'to_email is required'],
    ['too few attachments', { attachments: undefined }, 'Number of attachments mismatch'],
    [
      'too many attachments',
      { attachments: ['https://a.example/1', 'https://a.example/2'] },
      'Number of attachments mismatch',
    ],
    ['no metadata', { metadata: undefined }, 'metadata is required'],
    [
      'metadata without what the templates show',
      { metadata: {} },
      'Missing fields in metadata: number, name',
    ],
    ['metadata without one of them', { metadata: { number: 1 } }, 'Missing fields in metadata: name'],
    [
      'metadata with an inherited name',
      { metadata: Object.create({ number: 1, name: 'x' }) as object },
      'Missing fields in metadata: number, name',
    ],
    [
      'an address that is none',
      { to_email: ['anna@example.org', 'x'] },
      '"x" is no mailbox such as anna@example.org',
    ],
    [
      'an address that would add a header',
      { to_email: 'a@b.c\r\nBcc: d@e.f' },
      '"a@b.c\r\nBcc: d@e.f" is no mailbox such as anna@example.org',
    ],
    [
      'an attachment that is a file',
      { attachments: ['file:///etc/passwd'] },
      'attachments must be http or https URLs without user and password',
    ],
    [
      'an attachment that is no URL',
      { attachments: ['https://'] },
      'attachments must be http or https URLs without user and password',
    ],
    [
      'more addresses than one notification has',
      { to_email: Array.from({ length: 101 }, (_, i) => `${i}@example.org`) },
      'At most 100 addresses at once',
    ],
  ]
  for (const [why, change, message] of refusals) {
    it(`is refused with "${message.replaceAll('\r\n', ' ')}" for ${why} (N09)`, () => {
      expect(refusal({ ...right, ...change })).to.equal(message)
    })
  }

  it('needs what a template shows of a field, and not what has a default or is only asked for (N09)', () => {
    const sms = (content: string, metadata: object) =>
      refusal({ to_phone_number: '+4915112345678', metadata: { ...metadata } }, 'sms', { sms: { content } })
    expect(sms('{{ order.id }} {{ total }}', { order: {}, total: null })).to.equal(
      'Missing fields in metadata: order.id, total',
    )
    expect(sms('{{ note | default: "-" }}{% if vip %}{{ perk }}{% endif %}', {})).to.equal('sent')
  })

  it('is told the first fault in the order of upstream (N09)', () => {
    expect(refusal({})).to.equal('to_email is required')
    expect(refusal({ to_email: 'a@b.example' })).to.equal('Number of attachments mismatch')
    expect(refusal({ to_email: 'nobody', attachments: right.attachments })).to.equal('metadata is required')
  })

  it('needs no metadata where the templates show none (N09)', () => {
    expect(refusal({ to_email: 'a@b.example' }, 'email', PLAIN)).to.equal('sent')
  })

  it('is refused on a channel that the event does not have (N08)', () => {
    expect(refusal({ to_phone_number: '+4915112345678' }, 'sms', PLAIN)).to.equal(
      'The event has no channel sms',
    )
  })

  it('is checked on SMS as on e-mail (N13)', () => {
    expect(refusal({}, 'sms')).to.equal('to_phone_number is required')
    expect(refusal({ to_phone_number: '+4915112345678' }, 'sms')).to.equal('metadata is required')
    expect(refusal({ to_phone_number: '0151', metadata: { number: 1 } }, 'sms')).to.equal(
      '"0151" is no phone number such as +4915112345678',
    )
  })

  it('is checked on push as on e-mail, and has title, text and data (N13)', () => {
    const channels = { push: { title: 'Order {{ number }}', content: 'For {{ name }}' } }
    expect(refusal({}, 'push', channels)).to.equal('to_token is required')
    expect(refusal({ to_token: 'abc' }, 'push', channels)).to.equal('metadata is required')
    expect(refusal({ to_token: 'abc', metadata: { number: 1 } }, 'push', channels)).to.equal(
      'Missing fields in metadata: name',
    )
    const metadata = { number: 7, name: 'Anna' }
    for (const token of ['a b', 'a\nb', 'ä', 'device:1', 'topic:news'])
      expect(refusal({ to_token: token, metadata }, 'push', channels), token).to.match(
        /is no registration token/,
      )
    const data = { order: 7 }
    expect(planSend(channels, 'push', { to_token: ['abc', 'abc'], metadata, data }, rules)).to.deep.equal({
      channel: 'push',
      addresses: ['abc'],
      fixed: { subject: 'Order 7', text: 'For Anna', push: { data } },
    })
  })

  it('does not go to a number that charges for it, unless that is allowed (security row 21)', () => {
    const request = { to_phone_number: '+49900123456', metadata: { number: 1 } }
    expect(() => planSend(CHANNELS, 'sms', request, rules)).to.throw('charge')
    expect(planSend(CHANNELS, 'sms', request, { compile, premium: true }).addresses).to.have.length(1)
  })

  it('is refused when its texts come out too long, before anything is sent', () => {
    const channels = {
      sms: { content: '{% for x in list %}{% for y in list %}{{ x }}{% endfor %}{% endfor %}' },
    }
    const request = {
      to_phone_number: '+4915112345678',
      metadata: { list: Array.from({ length: 1000 }, () => 'x') },
    }
    expect(refusal(request, 'sms', channels)).to.match(
      /^sms\.content: does more than \d+ steps \(line 1, column/,
    )
  })

  it('has the data in subject, HTML and text, escaped where it is HTML (N01, N13)', () => {
    const send = planSend(
      CHANNELS,
      'email',
      { ...right, metadata: { number: '7\r\nBcc: x@y.z', name: '<b>&' } },
      rules,
    )
    expect(send).to.deep.equal({
      channel: 'email',
      addresses: ['anna@example.org'],
      fixed: {
        subject: 'Order 7\r\nBcc: x@y.z',
        html: '<p>Dear &lt;b&gt;&amp;,<br>bye</p>',
        text: 'Dear <b>&,\nbye',
        attachments: ['https://files.example.org/a.pdf'],
      },
    })
  })

  it('goes to each address once', () => {
    const request = { to_email: ['a@example.org', 'Anna <a@example.org>', ' ', 'b@example.org'] }
    expect(planSend(PLAIN, 'email', request, rules).addresses).to.deep.equal([
      'a@example.org',
      'b@example.org',
    ])
  })
})
