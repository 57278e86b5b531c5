import { expect } from 'chai'
import type { RenderInput } from '../../../src/delivery/channel.ts'
import { emailChannel } from '../../../src/delivery/channels/email.ts'
import { pushChannel } from '../../../src/delivery/channels/push.ts'
import { fitSms, smsChannel, smsSegments } from '../../../src/delivery/channels/sms.ts'
import { telegramChannel } from '../../../src/delivery/channels/telegram.ts'
import { voiceChannel } from '../../../src/delivery/channels/voice.ts'
import { webhookChannel } from '../../../src/delivery/channels/webhook.ts'
import { createOutgoing } from '../../../src/delivery/outgoing/outgoing.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { alert, notification, person, planned } from '../../support/messages.ts'
import type { Alert } from '../../../src/alert/alert.ts'
import type { NotificationContent } from '../../../src/notification/notification.ts'
import { noDevices } from '../../support/fake-devices.ts'

const base = { recipient: person(), fixed: null, publicUrl: 'http://localhost:8080/' }

const webhook = () =>
  webhookChannel({ endpoints: [], outgoing: createOutgoing({ allow: [] }), clock: fakeClock() })

function page(changes: Partial<Alert> = {}): RenderInput {
  const delivery = planned({ step: 2 }).delivery
  return { ...base, delivery, subject: { kind: 'alert', alert: alert(changes) } }
}

function message(changes: Partial<NotificationContent> = {}): RenderInput {
  const delivery = planned({ subjectKind: 'notification', subjectId: 'n1', purpose: 'message' }).delivery
  return { ...base, delivery, subject: { kind: 'notification', notification: notification(changes) } }
}

function outcome(): RenderInput {
  const { delivery } = planned({ purpose: 'outcome' })
  const fixed = { subject: 'RESOLVED: disk_full', text: 'Resolved by bob after 4 minutes' }
  return { ...base, delivery, subject: { kind: 'alert', alert: alert({ status: 'resolved' }) }, fixed }
}

function direct(fixed: { subject?: string; text: string; html?: string }): RenderInput {
  const { delivery } = planned({ subjectKind: 'direct', subjectId: 'd1', purpose: 'message', userId: null })
  return { ...base, delivery, recipient: null, subject: { kind: 'direct' }, fixed }
}

describe('e-mail', () => {
  const email = emailChannel({ smtpUrl: undefined, from: 'Alerts <alerts@example.org>' })

  it('titles a critical page CRITICAL ALERT: and its type (R23)', () => {
    expect(email.render(page()).subject).to.equal('CRITICAL ALERT: disk_full')
    expect(email.render(page({ severity: 'warning' })).subject).to.equal('WARNING: disk_full')
    expect(email.render(page({ severity: 'info' })).subject).to.equal('INFO: disk_full')
  })

  it('tells on a page what, where, when, which step, and how to acknowledge, in both twins', () => {
    const { text, html = '' } = email.render(page())
    for (const part of [
      'Disk is full',
      'db-1',
      'orders, billing',
      '5 Jan 2026, 13:00:00 CET',
      '2 of 2',
      'http://localhost:8080/alerts/a1',
      'alerts/a1/ack',
    ]) {
      expect(text).to.include(part)
      expect(html).to.include(part)
    }
  })

  it('gives a notification its title as subject, and message and link as text', () => {
    const { subject, text, html, actions } = email.render(message({ actionUrl: '/orders/7' }))
    expect(subject).to.equal('Order shipped')
    expect(text).to.equal('It arrives tomorrow\n\nOpen: http://localhost:8080/orders/7')
    expect(html).to.include('href="http://localhost:8080/orders/7"')
    expect(actions).to.deep.equal([{ id: 'open', label: 'Open', url: 'http://localhost:8080/orders/7' }])
  })

  it('never links to anything but http and https', () => {
    for (const actionUrl of [
      'javascript:alert(1)',
      ' JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
    ]) {
      const { html, actions } = email.render(message({ actionUrl }))
      expect(html).to.not.match(/href/)
      expect(actions).to.deep.equal([])
    }
  })

  it('escapes everything that somebody else wrote', () => {
    const { html = '' } = email.render(
      page({ type: '<img src=x>', message: '<script>"&\'</script>\nsecond' }),
    )
    expect(html).to.include('&lt;img src=x&gt;')
    expect(html).to.include('&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;<br>second')
    expect(html).to.not.match(/<script|<img/)
  })

  it('tells the outcome in its own words, with the alert to look at and nothing to answer (contract section 6)', () => {
    const { subject, text, actions } = email.render(outcome())
    expect(subject).to.equal('RESOLVED: disk_full')
    expect(text).to.include('Resolved by bob after 4 minutes').and.to.not.include('/ack')
    expect(actions).to.deep.equal([])
  })

  it('sends a direct mail as it was given: subject, body, HTML, and none where none was given (R24)', () => {
    const given = { subject: 'Account Security Alert', text: 'New device', html: '<p>New <b>device</b></p>' }
    expect(email.render(direct(given))).to.deep.equal({ ...given, actions: [] })
    expect(email.render(direct({ subject: 'Hi', text: 'a\nb' }))).to.deep.equal({
      subject: 'Hi',
      text: 'a\nb',
      actions: [],
    })
  })

  it('makes one line of a subject whatever it holds (security row 20)', () => {
    expect(email.render(direct({ subject: 'Hi\r\nBcc: x@y.example', text: 'x' })).subject).to.equal(
      'Hi Bcc: x@y.example',
    )
  })

  it('reaches only people with one well-formed mailbox', () => {
    expect(email.addresses(person())).to.deep.equal(['anna@example.org'])
    const { email: _, ...nobody } = person()
    expect(email.addresses(nobody)).to.deep.equal([])
  })
})

describe('SMS', () => {
  const sms = smsChannel()

  it('reads CRITICAL: type - message on a page (R23)', () => {
    expect(sms.render(page()).text).to.equal('CRITICAL: disk_full - Disk is full')
    expect(sms.render(page({ severity: 'warning' })).text).to.equal('WARNING: disk_full - Disk is full')
  })

  it('reads title: message on a notification, and is never empty', () => {
    expect(sms.render(message()).text).to.equal('Order shipped: It arrives tomorrow')
    expect(sms.render(message({ message: ' ' })).text).to.equal('Order shipped')
    expect(sms.render(message({ title: '\0', message: '\u202e' })).text).to.equal('Notification')
  })

  it('sends a direct text as given, without a title (R25)', () => {
    expect(sms.render(direct({ text: 'Your code is 4711' }))).to.include({
      text: 'Your code is 4711',
      segments: 1,
    })
  })

  it('keeps line breaks and direction marks out, so that no text can pose as a second one (security row 21)', () => {
    expect(sms.render(direct({ text: 'hello\nack\u202e 4711\r\n' })).text).to.equal('hello ack 4711')
  })

  const counts: readonly [string, string, number][] = [
    ['160 letters of GSM-7', 'x'.repeat(160), 1],
    ['161 letters of GSM-7', 'x'.repeat(161), 2],
    ['306 letters of GSM-7', 'x'.repeat(306), 2],
    ['307 letters of GSM-7', 'x'.repeat(307), 3],
    ['80 euro signs, which cost two places', '€'.repeat(80), 1],
    ['81 euro signs', '€'.repeat(81), 2],
    [
      '152 letters before a sign of two places that must not be torn',
      `${'x'.repeat(152)}${'€'.repeat(77)}`,
      3,
    ],
    ['umlauts and the Greek of GSM-7', 'äöüßÄÖÜΩ'.repeat(20), 1],
    ['70 letters beyond GSM-7', 'ж'.repeat(70), 1],
    ['71 letters beyond GSM-7', 'ж'.repeat(71), 2],
    ['35 emoji', '🔥'.repeat(35), 1],
    ['36 emoji, 33 to a part', '🔥'.repeat(36), 2],
    ['67 emoji', '🔥'.repeat(67), 3],
    ['nothing', '', 1],
  ]
  for (const [title, text, segments] of counts) {
    it(`counts ${segments} for ${title}`, () => {
      expect(smsSegments(text)).to.equal(segments)
    })
  }

  it('takes three segments at most, and says that there was more (security row 21)', () => {
    for (const letter of ['x', '€', 'ж', '🔥']) {
      const text = fitSms(letter.repeat(5000))
      expect(smsSegments(text)).to.equal(3)
      expect(text).to.match(/\.\.\.$/)
      expect(text).to.not.match(/\p{Surrogate}/u)
    }
  })

  it('does not shorten what fits exactly', () => {
    expect(fitSms('x'.repeat(459))).to.have.length(459)
  })

  it('reaches only people with a phone number', () => {
    expect(sms.addresses(person({ phone: '+49 151 12345678' }))).to.deep.equal(['+4915112345678'])
    expect(sms.addresses(person({ phone: '0151 12345678' }))).to.deep.equal([])
  })
})

const push = () => pushChannel({ fcm: null, devices: noDevices })

describe('the other channels', () => {
  const keys: readonly (readonly [locale: string, language: string, keys: string])[] = [
    ['de', 'de-DE', 'Drücken Sie 4 zum Quittieren, 6 zum Eskalieren, 5 zum Schließen.'],
    ['en-GB', 'en-GB', 'Press 4 to acknowledge, 6 to escalate, 5 to resolve.'],
    ['fr', 'fr-FR', 'Tapez 4 pour confirmer, 6 pour escalader, 5 pour résoudre.'],
    ['es-AR', 'es-ES', 'Pulse 4 para confirmar, 6 para escalar, 5 para resolver.'],
    ['it', 'it-IT', 'Premere 4 per confermare, 6 per inoltrare, 5 per risolvere.'],
    ['pl', 'pl-PL', 'Press 4 to acknowledge, 6 to escalate, 5 to resolve.'],
    ['xx', 'en-US', 'Press 4 to acknowledge, 6 to escalate, 5 to resolve.'],
  ]
  for (const [locale, language, sentence] of keys) {
    it(`speak a page to a person of locale ${locale} in ${language}, with the keys that answer it`, () => {
      const rendered = voiceChannel().render({ ...page(), recipient: person({ locale }) })
      expect(rendered).to.include({
        text: `CRITICAL ALERT: disk full. Disk is full. ${sentence}`,
        language,
      })
    })
  }

  it('speak a notification, and a direct message to nobody known, without keys', () => {
    expect(voiceChannel().render(message()).text).to.equal('Order shipped. It arrives tomorrow')
    expect(voiceChannel().render(direct({ text: 'Hello' }))).to.include({ text: 'Hello', language: 'en-US' })
  })

  it('push a title and a body', () => {
    expect(push().render(page())).to.include({
      subject: 'CRITICAL ALERT: disk_full',
      text: 'Disk is full',
    })
  })

  it('write a Telegram message with source, systems and link', () => {
    expect(telegramChannel(null).render(page()).text).to.equal(
      'CRITICAL ALERT: disk_full\nDisk is full\nSource: db-1\nAffected systems: orders, billing\nhttp://localhost:8080/alerts/a1',
    )
  })

  it('post a webhook with the alert in wire names', () => {
    const body: unknown = JSON.parse(webhook().render(page()).text)
    expect(body).to.have.nested.property('alert.affected_systems').that.deep.equals(['orders', 'billing'])
    expect(body).to.include({
      type: 'alert.page',
      title: 'CRITICAL ALERT: disk_full',
      message: 'Disk is full',
    })
  })

  it('reach nobody who has no device, so that push never counts as used without one (section 1.6 fault 7)', () => {
    for (const channel of [push(), telegramChannel(null), webhook()]) {
      expect(channel.addresses(person())).to.deep.equal([])
    }
  })
})
