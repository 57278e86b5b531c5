import { expect } from 'chai'
import type { ChannelName } from '../../src/delivery/delivery.ts'
import { choosePart } from '../../src/template/choose-part.ts'
import { templateNames } from '../../src/template/message-data.ts'
import { alert, notification, person, planned } from '../support/messages.ts'
import { templatesOf } from '../support/templates-of.ts'

const LANGUAGES = templatesOf({
  'order.*': {
    default: { title: 'default' },
    email: { subject: 'email' },
    locales: {
      de: { default: { title: 'default de' }, app: { title: 'app de' }, sms: { text: 'sms de' } },
      'de-AT': { email: { subject: 'email de-AT' } },
      'pt-BR': { sms: { text: 'sms pt-BR' } },
    },
  },
})

const PATTERNS = templatesOf({
  '*': { sms: { text: '*' } },
  'payment.*': { sms: { text: 'payment.*' } },
  'payment.card.*': { sms: { text: 'payment.card.*' } },
  'payment.card.lost': { sms: { text: 'payment.card.lost' } },
  dunning: { sms: { text: 'dunning' } },
  'email.only': { email: { subject: 'x' } },
})

describe('the part of a template for a message', () => {
  const languages: readonly (readonly [locale: string, channel: ChannelName, says: string | undefined])[] = [
    ['en', 'email', 'email'],
    ['en', 'sms', 'default'],
    ['de', 'sms', 'sms de'],
    ['de', 'email', 'default de'],
    ['de-DE', 'sms', 'sms de'],
    ['de-AT', 'email', 'email de-AT'],
    ['de-AT', 'sms', 'sms de'],
    ['de-AT', 'push', 'default de'],
    ['DE-at', 'email', 'email de-AT'],
    ['de-AT-1996', 'email', 'email de-AT'],
    ['pt-BR', 'sms', 'sms pt-BR'],
    ['pt', 'sms', 'default'],
    ['d', 'sms', 'default'],
    ['', 'sms', 'default'],
    ['de-AT', 'realtime', 'app de'],
    ['en', 'realtime', undefined],
  ]
  for (const [locale, channel, says] of languages) {
    it(`says "${says}" on ${channel} to somebody of language "${locale}" (C22)`, () => {
      const chosen = choosePart(LANGUAGES, { names: ['order.shipped'], channel, locale })
      expect(chosen?.part.title ?? chosen?.part.text).to.equal(says)
    })
  }

  const patterns: readonly (readonly [names: readonly string[], pattern: string | null])[] = [
    [['payment.card.lost'], 'payment.card.lost'],
    [['payment.card.found'], 'payment.card.*'],
    [['payment.received'], 'payment.*'],
    [['payment'], 'payment.*'],
    [['order.shipped'], '*'],
    [['info', 'dunning'], 'dunning'],
    [['email.only'], null],
    [[], null],
  ]
  for (const [names, pattern] of patterns) {
    it(`follows ${pattern ?? 'no pattern'} for ${names.join(', else ') || 'what has no name'}`, () => {
      expect(choosePart(PATTERNS, { names, channel: 'sms', locale: 'en' })?.pattern ?? null).to.equal(pattern)
    })
  }

  it('is looked for under the event, else the type and category, and for alerts under their type', () => {
    const input = { delivery: planned().delivery, recipient: person(), fixed: null, publicUrl: '' }
    const named = (content: object) =>
      templateNames({ ...input, subject: { kind: 'notification', notification: notification(content) } })
    expect(named({ event: 'order.shipped', type: 'order', category: 'crm' }))
      .to.include('order.shipped')
      .and.not.include('crm')
    expect(named({ type: 'order', category: 'crm' }))
      .to.include('order')
      .and.not.include('crm')
    expect(named({ type: 'info', category: 'crm' })).to.include('crm')
    expect(named({})).to.deep.equal(['info'])
    expect(templateNames({ ...input, subject: { kind: 'alert', alert: alert() } })).to.deep.equal([
      'alert.disk_full',
    ])
    expect(templateNames({ ...input, subject: { kind: 'direct' } })).to.deep.equal([])
  })
})
