import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { HttpApi } from '../support/http-api.ts'

const LOOP = '{% for i in (1..1000000000) %}x{% endfor %}'

describe('the journey of a message with a template', () => {
  let h: Harness
  before(async () => {
    h = await harness({
      config: {
        users: {
          cem: {
            password: 'cem-password',
            email: 'cem@example.org',
            phone: '+4915112345673',
            locale: 'de-AT',
            groups: ['support'],
            preferences: { sms: true },
          },
        },
        templates: {
          'order.*': {
            email: { subject: 'Order {{ data.id }}', text: 'It is on its way', html: '<i>{{ data.id }}</i>' },
            locales: { de: { email: { subject: 'Bestellung {{ data.id }}', text: 'Sie ist unterwegs' } } },
          },
          'alert.system_*': { sms: { text: '{{ alert.source }} is down: {{ data.code }}' } },
          'invoice.*': {
            default: { title: 'Not for the inbox', message: 'Nor this' },
            app: { title: 'Invoice {{ data.id }}' },
            locales: { de: { app: { title: 'Rechnung {{ data.id }}', message: 'Bitte zahlen: {{ url }}' } } },
          },
          looping: { email: { subject: LOOP } },
          'booking.*': {
            sms: { text: 'Room {{ data.room }} at {{ data.time }}' },
            app: { title: 'Room {{ data.room }}' },
          },
        },
      },
    })
  })
  after(() => h.close())

  const mailsOf = async (user: string) =>
    (await h.phone(user).messages('email')).map(({ subject, text, html }) => ({ subject, text, html }))

  it('reaches everybody in their own language (C22)', async () => {
    const order = { message: 'Shipped', event: 'order.shipped', priority: 'high', data: { id: '<7>' } }
    for (const user of ['bob', 'cem']) await h.accepted(`notifications/realtime/user/${user}`, order)
    await h.quiet()
    expect(await mailsOf('bob')).to.deep.equal([
      { subject: 'Order <7>', text: 'It is on its way', html: '<i>&lt;7&gt;</i>' },
    ])
    const [german] = await mailsOf('cem')
    expect(german).to.include({ subject: 'Bestellung <7>', text: 'Sie ist unterwegs' })
    expect((await h.inbox('cem')).at(-1)?.content).to.include({ title: 'Notification', message: 'Shipped' })
  })

  it('stands in every inbox in the language of its owner, and on what follows from it (C22)', async () => {
    const invoice = {
      title: 'Invoice',
      message: 'Please pay',
      event: 'invoice.sent',
      action_url: 'https://shop.example/7',
      data: { id: 7 },
    }
    for (const user of ['bob', 'cem']) await h.accepted(`notifications/realtime/user/${user}`, invoice)
    expect((await h.inbox('bob')).at(-1)?.content).to.include({ title: 'Invoice 7', message: 'Please pay' })
    expect((await h.inbox('cem')).at(-1)?.content).to.include({
      title: 'Rechnung 7',
      message: 'Bitte zahlen: https://shop.example/7',
    })
  })

  it('goes out as it was published when its template loops [P10]', async () => {
    const looping = { title: 'Plain', message: 'Text', type: 'looping', priority: 'high' }
    await h.accepted('notifications/realtime/user/anna', looping)
    await h.quiet()
    const [mail] = await mailsOf('anna')
    expect(mail).to.include({ subject: 'Plain' })
    expect(await metric(h)).to.deep.equal([['email', 1]])
  })

  it('goes out as it was published, and says why, when its data lack what its template shows [P10]', async () => {
    const booking = {
      title: 'Booked',
      message: 'Your room is ready',
      event: 'booking.made',
      priority: 'critical',
    }
    const admin = await HttpApi.login(() => ({ url: h.app.httpUrl }), 'anna', 'anna-password')
    const send = async (data: object) => {
      const { notification_id: id } = await h.accepted('notifications/realtime/user/cem', {
        ...booking,
        data,
      })
      await h.quiet()
      const why = await admin.get<{ chain: readonly Readonly<Record<string, unknown>>[] }>(
        `/v1/notifications/${String(id)}/why?user=cem`,
      )
      const [sms] = (await h.deliveries(String(id))).filter(({ channel }) => channel === 'sms')
      return { sms, why: why.chain.filter(({ code }) => code === sms?.reason) }
    }
    expect((await send({ room: 7, time: '9:00' })).sms).to.include({
      state: 'sent',
      reason: null,
      error: null,
    })
    const { sms, why } = await send({ time: '9:00' })
    expect((await h.phone('cem').messages('sms')).map(({ text }) => text)).to.deep.equal([
      'Room 7 at 9:00',
      'Booked: Your room is ready',
    ])
    const error = 'booking.* sms text: Missing fields: data.room'
    expect(sms).to.include({ state: 'sent', reason: 'template_missing_fields', error })
    expect(why).to.have.length(1)
    expect(why[0]).to.have.nested.property('detail.error', error)
    expect((await h.inbox('cem')).at(-1)?.content).to.include({ title: 'Booked' })
  })

  it('pages with the words for the alert', async () => {
    await h.raise('alerts/critical/system_failure', { source: 'db-1', data: { code: 'E7' } })
    const [sms] = await h.phone('bob').messages('sms')
    expect(sms?.text).to.equal('db-1 is down: E7')
    expect(sms?.actions.map(({ id }) => id)).to.deep.equal(['ack', 'escalate', 'resolve'])
  })
})

async function metric(h: Harness) {
  const { values } = await h.app.engine.metrics.templateFailures.get()
  return values.map(({ labels, value }) => [labels['channel'], value])
}
