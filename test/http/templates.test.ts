import { expect } from 'chai'
import { createChannels } from '../../src/delivery/channels/index.ts'
import { createTemplateCache } from '../../src/template/template-cache.ts'
import { noDevices } from '../support/fake-devices.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { configWith, httpHarness, type HttpHarness } from '../support/http-harness.ts'
import { quietHealth } from '../support/quiet-health.ts'
import { templatesOf } from '../support/templates-of.ts'

const TEMPLATES = templatesOf({
  'payment.*': {
    email: { subject: '{{ data.amount }} received', html: '<b>{{ user.name }}</b> {{ data.note }}' },
    sms: { text: 'Got {{ data.amount }} ✓' },
    locales: { de: { sms: { text: '{{ data.amount }} erhalten' } } },
  },
  'alert.disk_*': { sms: { text: '{{ alert.type }}: {{ data.percent }} %' } },
  broken: { sms: { text: 'a\n{% for i in (1..90000) %}x{% endfor %}' } },
})

describe('the templates API', () => {
  let h: HttpHarness
  before(async () => {
    h = await httpHarness({
      options: {
        preview: {
          templates: () => TEMPLATES,
          compile: createTemplateCache(),
          channels: createChannels(configWith(), {
            clock: fakeClock(),
            devices: noDevices,
            vapid: null,
            healthOf: quietHealth(),
          }),
          publicUrl: () => 'https://bell.example.org',
        },
      },
    })
  })
  after(() => h.close())

  const preview = async (payload: object, as = 'olga') =>
    h.app.inject({ method: 'POST', url: '/v1/templates/preview', headers: await h.bearer(as), payload })

  it('lists every part with its sources and what they ask for', async () => {
    const answer = await h.app.inject({ url: '/v1/templates', headers: await h.bearer('olga') })
    expect(answer.json()).to.deep.equal({
      items: [
        {
          event: 'payment.*',
          locale: null,
          channel: 'email',
          fields: { subject: '{{ data.amount }} received', html: '<b>{{ user.name }}</b> {{ data.note }}' },
          variables: ['data', 'user'],
        },
        {
          event: 'payment.*',
          locale: null,
          channel: 'sms',
          fields: { text: 'Got {{ data.amount }} ✓' },
          variables: ['data'],
        },
        {
          event: 'payment.*',
          locale: 'de',
          channel: 'sms',
          fields: { text: '{{ data.amount }} erhalten' },
          variables: ['data'],
        },
        {
          event: 'alert.disk_*',
          locale: null,
          channel: 'sms',
          fields: { text: '{{ alert.type }}: {{ data.percent }} %' },
          variables: ['alert', 'data'],
        },
        {
          event: 'broken',
          locale: null,
          channel: 'sms',
          fields: { text: 'a\n{% for i in (1..90000) %}x{% endfor %}' },
          variables: [],
        },
      ],
    })
  })

  it('previews a message as it would be sent (N13)', async () => {
    const answer = await preview({
      event: 'payment.received',
      channel: 'email',
      user: 'anna',
      data: { amount: '5 €', note: 'Thanks' },
    })
    expect(answer.statusCode).to.equal(200)
    expect(answer.json()).to.deep.include({
      template: { event: 'payment.*', locale: null, channel: 'email' },
      subject: '5 € received',
      html: '<b>Anna K.</b> Thanks',
      faults: [],
    })
  })

  it('lists what is missing of the data (N09, N13)', async () => {
    const answer = await preview({ event: 'payment.received', channel: 'email', data: {} })
    expect(answer.statusCode).to.equal(400)
    expect(answer.json()).to.deep.include({
      error: {
        code: 'template.missing_fields',
        message: 'Missing fields: data.amount, data.note',
        details: { missing: ['data.amount', 'data.note'] },
      },
    })
  })

  it('previews the language and the segments of an SMS (C22)', async () => {
    const payment = { event: 'payment.received', channel: 'sms', data: { amount: '5 €' } }
    expect((await preview(payment)).json()).to.include({ text: 'Got 5 € ✓', segments: 1 })
    expect((await preview({ ...payment, locale: 'de-AT' })).json()).to.deep.include({
      template: { event: 'payment.*', locale: 'de', channel: 'sms' },
      text: '5 € erhalten',
    })
  })

  it('previews the entry of an inbox', async () => {
    const order = { event: 'order.shipped', channel: 'realtime', title: 'Order', message: 'shipped' }
    expect((await preview(order)).json()).to.include({ subject: 'Order', text: 'shipped' })
  })

  it('previews the words of an alert', async () => {
    const disk = { event: 'alert.disk_full', channel: 'sms', data: { percent: 97 } }
    expect((await preview(disk)).json()).to.include({ text: 'disk_full: 97 %' })
  })

  it('previews the plain message where no template fits, and where one fails, with the reason', async () => {
    const plain = { channel: 'sms', title: 'Order', message: 'shipped' }
    expect((await preview({ ...plain, event: 'order.shipped' })).json()).to.deep.include({
      template: null,
      text: 'Order: shipped',
    })
    expect((await preview({ ...plain, event: 'broken' })).json()).to.deep.include({
      template: { event: 'broken', locale: null, channel: 'sms' },
      text: 'Order: shipped',
      faults: [{ field: 'text', message: 'does more than 3000 steps', line: 2, column: 1 }],
    })
  })

  it('is for operators', async () => {
    expect((await preview({ event: 'x', channel: 'sms' }, 'bob')).statusCode).to.equal(403)
    const list = await h.app.inject({ url: '/v1/templates', headers: await h.bearer('bob') })
    expect(list.statusCode).to.equal(403)
    expect((await h.app.inject({ url: '/v1/templates' })).statusCode).to.equal(401)
  })

  const refused: readonly (readonly [why: string, body: object, status: number])[] = [
    ['a channel that is none', { event: 'x', channel: 'pigeon' }, 400],
    ['a language that is none', { event: 'x', channel: 'sms', locale: '!' }, 400],
    ['nobody', { event: 'x', channel: 'sms', user: 'nobody' }, 404],
    ['somebody of another tenant', { event: 'x', channel: 'sms', user: 'eve' }, 404],
  ]
  for (const [why, body, status] of refused) {
    it(`previews nothing for ${why}`, async () => {
      expect((await preview(body)).statusCode).to.equal(status)
    })
  }
})
