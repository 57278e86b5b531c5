import { expect } from 'chai'
import { Value } from 'typebox/value'
import { ConfigSchema, type Config } from '../../src/config/schema/schema.ts'
import type { RenderInput } from '../../src/delivery/channel.ts'
import { createChannels } from '../../src/delivery/channels/index.ts'
import type { ChannelName } from '../../src/delivery/delivery.ts'
import type { PlannedDelivery } from '../../src/delivery/plan.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { NotificationContent } from '../../src/notification/notification.ts'
import { createTemplateCache } from '../../src/template/template-cache.ts'
import { createWordings } from '../../src/template/wordings.ts'
import { noDevices } from '../support/fake-devices.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { alert, notification, person, planned } from '../support/messages.ts'
import { quietHealth } from '../support/quiet-health.ts'
import { silentLog } from '../support/silent-log.ts'
import { templatesOf } from '../support/templates-of.ts'

const CHANNELS = createChannels(Value.Default(ConfigSchema, {}) as Config, {
  clock: fakeClock(),
  devices: noDevices,
  vapid: null,
  healthOf: quietHealth(),
})

function wordings(given: object) {
  const templates = templatesOf(given)
  const metrics = createMetrics()
  const { log, lines } = silentLog()
  const wordingOf = createWordings({
    templates: () => templates,
    compile: createTemplateCache(),
    log,
    metrics,
  })
  return {
    lines,
    wordingOf,
    failures: async () =>
      (await metrics.templateFailures.get()).values.map(({ value, labels }) => [labels['channel'], value]),
    rendered: (input: RenderInput) => {
      const configured = CHANNELS.get(input.delivery.channel)
      if (!configured) throw new Error(`no channel ${input.delivery.channel}`)
      return configured.channel.render({ ...input, wording: wordingOf(input) })
    },
  }
}

function message(
  channel: ChannelName,
  content: Partial<NotificationContent> = {},
  locale = 'en',
): RenderInput {
  return {
    delivery: planned({ channel, subjectKind: 'notification', purpose: 'message' }).delivery,
    subject: {
      kind: 'notification',
      notification: notification({ event: 'payment.received', data: { amount: '5 €' }, ...content }),
    },
    recipient: person({ locale }),
    fixed: null,
    publicUrl: 'https://bell.example.org',
  }
}

function page(channel: ChannelName, changes: Partial<PlannedDelivery> = {}): RenderInput {
  return {
    delivery: planned({ channel, step: 2, ...changes }).delivery,
    subject: { kind: 'alert', alert: alert({ data: { percent: 97 } }) },
    recipient: person({ locale: 'en' }),
    fixed: null,
    publicUrl: 'https://bell.example.org',
  }
}

const TEMPLATES = {
  'payment.*': {
    default: { title: 'Paid: {{ data.amount }}', message: 'Dear {{ user.name }}' },
    email: {
      subject: '{{ data.amount }} received',
      text: 'See {{ url }}',
      html: '<h1>{{ data.amount }} of {{ user.name }}</h1>',
    },
    sms: { text: 'Got {{ data.amount }}' },
    voice: { text: 'You got {{ data.amount }}.' },
    telegram: { title: 'Money' },
    locales: { de: { sms: { text: '{{ data.amount }} erhalten' } } },
  },
  'alert.disk_*': {
    sms: { text: '{{ alert.source }} at {{ data.percent }} %, step {{ alert.step }}' },
    email: { subject: 'Disk of {{ alert.source }}', text: 'It is at {{ data.percent }} %' },
    voice: { text: 'The disk of {{ alert.source }} is full' },
    default: { title: '{{ alert.severity | upcase }} {{ alert.type }}', message: '{{ alert.message }}!' },
  },
}

describe('messages with a template', () => {
  const { rendered } = wordings(TEMPLATES)

  it('have subject, text and HTML of their own on e-mail', () => {
    const mail = rendered(message('email', { actionUrl: '/payments/1' }))
    expect(mail.subject).to.equal('5 € received')
    expect(mail.text).to.match(/^See https:\/\/bell\.example\.org\/payments\/1\n/)
    expect(mail.html).to.equal('<h1>5 € of Anna K.</h1>')
  })

  it('escape what data bring into HTML, and keep line breaks out of the subject (security row 20)', () => {
    const mail = rendered(message('email', { data: { amount: 'x\r\nBcc: eve@example.org\r\n\r\n<script>' } }))
    expect(mail.subject).to.equal('x Bcc: eve@example.org <script> received')
    expect(mail.html).to.contain('&lt;script&gt;').and.not.contain('<script>')
  })

  it('say all there is in one text on SMS and calls', () => {
    expect(rendered(message('sms'))).to.include({ text: 'Got 5 €', segments: 1 })
    expect(rendered(message('voice')).text).to.equal('You got 5 €.')
  })

  it('come in the language of the person (C22)', () => {
    expect(rendered(message('sms', {}, 'de-AT')).text).to.equal('5 € erhalten')
    expect(rendered(message('sms', {}, 'fr')).text).to.equal('Got 5 €')
  })

  it('take the words for every channel where a channel has none', () => {
    expect(rendered(message('push'))).to.include({ subject: 'Paid: 5 €', text: 'Dear Anna K.' })
    expect(rendered(message('speech')).text).to.equal('Paid: 5 €. Dear Anna K.')
  })

  it('keep the text that was published where the template has only a title', () => {
    expect(rendered(message('telegram')).text).to.equal('Money\nIt arrives tomorrow')
  })

  it('lead to the console where they lead nowhere else', () => {
    expect(rendered(message('email')).text).to.match(/^See https:\/\/bell\.example\.org\/$/)
  })

  it('stay as they were published where no template fits', () => {
    const plain = rendered(message('sms', { event: 'order.shipped' }))
    expect(plain.text).to.equal('Order shipped: It arrives tomorrow')
  })

  it('of an alert keep how to answer it', () => {
    const sms = rendered(page('sms'))
    expect(sms.text).to.equal('db-1 at 97 %, step 2')
    expect(sms.actions.map(({ id }) => id)).to.include('ack')
    const mail = rendered(page('email'))
    expect(mail.subject).to.equal('Disk of db-1')
    expect(mail.text).to.match(/^It is at 97 %\n/)
    expect(mail.text).to.contain('https://bell.example.org/alerts/a1').and.contain('alerts/a1/ack')
    expect(mail.html).to.contain('It is at 97 %').and.contain('https://bell.example.org/alerts/a1')
    expect(rendered(page('voice')).text).to.match(/^The disk of db-1 is full\. Press 4 to acknowledge/)
    expect(rendered(page('speech')).text).to.equal('CRITICAL disk_full. Disk is full!')
    expect(rendered(page('push'))).to.include({ subject: 'CRITICAL disk_full', text: 'Disk is full!' })
  })

  it('tell how an alert ended without them, because a page would say the opposite', () => {
    const fixed = { subject: 'RESOLVED: disk_full', text: 'Resolved by bob' }
    expect(rendered({ ...page('sms', { purpose: 'outcome' }), fixed }).text).to.equal(
      'RESOLVED: disk_full: Resolved by bob',
    )
  })

  it('show nothing of a person but name, language and time zone', () => {
    const { wordingOf } = wordings({ '*': { default: { message: '{{ user | json }}' } } })
    expect(JSON.parse(wordingOf(message('push'))?.text ?? '')).to.deep.equal({
      id: 'anna',
      name: 'Anna K.',
      locale: 'en',
      timezone: 'Europe/Berlin',
    })
  })

  it('stay as they were published where the words come out empty', () => {
    const { rendered } = wordings({
      '*': { sms: { text: '{% if nothing %}x{% endif %} ' }, email: { html: ' ' } },
    })
    expect(rendered(message('sms')).text).to.equal('Order shipped: It arrives tomorrow')
    expect(rendered(message('email')).html).to.contain('It arrives tomorrow')
  })
})

describe('a template that fails', () => {
  const LOOP = '{% for i in (1..90000) %}{{ data.amount }}{% endfor %}'

  it('costs a message its words and not its way; it is counted, and told once [P10]', async () => {
    const { rendered, failures, lines } = wordings({
      'payment.*': { email: { subject: 'Fine', html: LOOP }, sms: { text: LOOP } },
    })
    for (let time = 0; time < 3; time++) {
      const mail = rendered(message('email'))
      expect(mail).to.include({ subject: 'Order shipped' })
      expect(mail.html).to.contain('It arrives tomorrow')
    }
    expect(rendered(message('sms')).text).to.equal('Order shipped: It arrives tomorrow')
    expect(await failures()).to.deep.equal([
      ['email', 3],
      ['sms', 1],
    ])
    expect(lines.map(({ msg, event, part, field }) => ({ msg, event, part, field }))).to.deep.equal([
      { msg: 'a template fails; the plain text is sent', event: 'payment.*', part: 'email', field: 'html' },
      { msg: 'a template fails; the plain text is sent', event: 'payment.*', part: 'sms', field: 'text' },
    ])
  })

  it('is one whose data lack what it shows: no message has a hole, and all that is missing is told [P10]', async () => {
    const { wordingOf, rendered, failures } = wordings({
      'payment.*': {
        email: { subject: '{{ data.amount }}', html: 'Paid by {{ data.payer.name }} at {{ data.place }}' },
        sms: { text: 'Got {{ data.amount }}{{ data.note | default: "" }} {% if data.place %}x{% endif %}' },
      },
    })
    expect(rendered(message('sms')).text).to.equal('Got 5 €')
    const mail = rendered(message('email'))
    expect(mail).to.include({ subject: 'Order shipped' })
    expect(mail.html).to.contain('It arrives tomorrow').and.not.contain('Paid by')
    expect(wordingOf(message('email'))?.failure).to.deep.equal({
      code: 'template_missing_fields',
      message: 'payment.* email html: Missing fields: data.payer.name, data.place',
    })
    expect(await failures()).to.deep.equal([['email', 2]])
  })

  it('does not throw either where the data have no form [P10]', async () => {
    const { wordingOf, failures } = wordings({ '*': { sms: { text: 'x' } } })
    const input = page('sms')
    // Not possible by the types; what is stored is older than they are.
    const subject = { kind: 'alert' as const, alert: { type: 'x' } as never }
    expect(wordingOf({ ...input, subject })).to.have.nested.property('failure.code', 'template_failed')
    expect(await failures()).to.deep.equal([['sms', 1]])
  })
})
