import { expect } from 'chai'
import { harness, type Harness, type HarnessOptions } from '../support/harness.ts'

const URL = '/v1/notifications/preferences'

describe('people who say what they want to hear of', () => {
  let program: Harness
  const run = async (config: HarnessOptions['config'] = {}) => (program = await harness({ config }))
  afterEach(() => program.close())

  const asPerson = async (id: string, method: 'GET' | 'PUT', payload?: object, query = '') => {
    const { token } = await program.app.authenticator.login(id, `${id}-password`, '127.0.0.1')
    const answer = await fetch(`${program.app.httpUrl}${URL}${query}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(payload && { body: JSON.stringify(payload) }),
    })
    // The tests read what they expect to be there.
    return { status: answer.status, body: (await answer.json()) as Record<string, never> }
  }
  const prefer = async (id: string, payload: object, query = '') => {
    const { status, body } = await asPerson(id, 'PUT', payload, query)
    expect(status, JSON.stringify(body)).to.equal(200)
  }
  const row = (event_type: string, channel: string, enabled: boolean | null) => ({
    event_type,
    channel,
    enabled,
  })
  const channelsOf = async (id: string, body: object) =>
    (await program.accepted(`notifications/realtime/user/${id}`, { message: 'Hi', ...body }))['channels']

  it('get what they asked for from the next publish on, the longest pattern first, and over a restart (C06, C17, C20, X34)', async () => {
    await run()
    const paid = { event: 'payment.received', priority: 'high' }
    expect(await channelsOf('bob', paid)).to.deep.equal(['realtime', 'email'])
    await prefer('bob', {
      preferences: [
        row('payment.received', 'sms', true),
        row('payment.*', 'email', false),
        row('*', 'email', true),
      ],
    })
    expect(await channelsOf('bob', paid)).to.deep.equal(['realtime', 'sms'])
    expect(await channelsOf('bob', { event: 'payment.late', priority: 'high' })).to.deep.equal(['realtime'])
    expect(await channelsOf('bob', { event: 'order.sent', priority: 'low' })).to.deep.equal([
      'realtime',
      'email',
    ])
    expect(await channelsOf('cem', paid), 'others are told as before').to.deep.equal(['realtime', 'email'])
    await program.restart()
    expect(await channelsOf('bob', paid)).to.deep.equal(['realtime', 'sms'])
    await prefer('bob', { preferences: [row('payment.*', 'email', null), row('*', 'email', null)] })
    expect(await channelsOf('bob', paid)).to.deep.equal(['realtime', 'email', 'sms'])
    await program.quiet()
    expect((await program.phone('bob').messages('sms')).length).to.equal(3)
  })

  it('choose channels per event of a group, as CoreBanq has it (C05, C16, C17)', async () => {
    await run({ customers: { acme: { name: 'Acme' } } })
    const received = { type: 'chat', event: 'message_received' }
    expect(await channelsOf('bob', received)).to.deep.equal(['realtime'])
    const events = { message_received: { enabled: true, channels: ['system', 'email', 'sms'] } }
    await prefer('bob', { groups: { chat: { events } } })
    expect(await channelsOf('bob', received)).to.deep.equal(['realtime', 'email', 'sms'])
    expect(await channelsOf('bob', { ...received, type: 'task' })).to.deep.equal(['realtime'])
    const off = { message_received: { enabled: false, channels: ['system', 'email', 'sms'] } }
    await prefer('bob', { groups: { chat: { events: off } } })
    expect(await channelsOf('bob', { ...received, priority: 'critical' })).to.deep.equal([])
    const { body } = await asPerson('bob', 'GET')
    expect(body['groups'])
      .to.have.nested.property('chat.events.message_received')
      .deep.equal(off.message_received)
  })

  it('choose for one customer without changing it for others (C17)', async () => {
    await run({
      customers: { acme: { name: 'Acme' }, globex: { name: 'Globex' } },
      users: { bob: { password: 'bob-password', email: 'bob@example.org', customers: ['acme', 'globex'] } },
    })
    await prefer('bob', { preferences: [row('*', 'email', false)] }, '?customer_id=acme')
    const about = (customer_id?: string) => channelsOf('bob', { priority: 'high', customer_id })
    expect(await about('acme')).to.deep.equal(['realtime'])
    expect(await about('globex')).to.deep.equal(['realtime', 'email'])
    expect(await about()).to.deep.equal(['realtime', 'email'])
    const { status } = await asPerson('bob', 'GET', undefined, '?customer_id=theirs')
    expect(status).to.equal(404)
  })

  it('get nothing of the category mail, until they ask for it; the inbox has it all (X14, X34)', async () => {
    await run()
    const bob = await program.client('bob')
    await bob.subscribe('users/bob/notifications')
    const mail = { category: 'mail', event: 'mail.new_message', priority: 'critical' }
    for (const category of ['system', 'payment', 'dunning', 'crm', 'security'])
      expect(await channelsOf('bob', { category }), category).to.deep.equal(['realtime'])
    expect(await channelsOf('bob', mail)).to.deep.equal([])
    await program.accepted('notifications/realtime/broadcast', { message: 'Mails for all', category: 'mail' })
    await prefer('bob', { preferences: [row('mail.*', 'app', true)] })
    expect(await channelsOf('bob', mail)).to.deep.equal(['realtime'])
    await bob.caughtUp()
    expect(bob.received.map(({ body }) => body?.['category'])).to.deep.equal([
      'system',
      'payment',
      'dunning',
      'crm',
      'security',
      'mail',
    ])
    expect(await program.inbox('bob')).to.have.length(8)
  })

  it('are spared a broadcast and a group message on the channels they do not want (C20, R21, R31)', async () => {
    await run()
    await prefer('bob', { preferences: [row('news', 'app', false), row('news', 'sms', true)] })
    const devices = { anna: await program.client('anna'), bob: await program.client('bob') }
    for (const [id, device] of Object.entries(devices)) await device.subscribe(`users/${id}/notifications`)
    await program.accepted('notifications/realtime/broadcast', { message: 'To all', type: 'news' })
    await program.accepted('notifications/realtime/group/ops', { message: 'To ops', type: 'news' })
    await program.accepted('notifications/realtime/broadcast', { message: 'Other', type: 'system' })
    await program.quiet()
    for (const device of Object.values(devices)) await device.caughtUp()
    const live = (id: keyof typeof devices) => devices[id].received.map(({ body }) => body?.['message'])
    expect(live('anna')).to.deep.equal(['To all', 'To ops', 'Other'])
    expect(live('bob')).to.deep.equal(['Other'])
    expect(await program.inbox('bob')).to.have.length(3)
    expect(await program.phone('bob').messages('sms')).to.have.length(2)
    expect(await program.phone('anna').messages()).to.deep.equal([])
  })

  it('can have live what their switch keeps off, and are shown it after connecting too (R28)', async () => {
    await run({ users: { bob: { password: 'bob-password', preferences: { realtime: false } } } })
    await prefer('bob', { preferences: [row('order.*', 'realtime', true)] })
    expect(await channelsOf('bob', { event: 'order.sent' })).to.deep.equal(['realtime'])
    expect(await channelsOf('bob', { event: 'payment.late' })).to.deep.equal([])
    const bob = await program.client('bob')
    await bob.subscribe('users/bob/notifications')
    await bob.caughtUp()
    expect(bob.received.map(({ body }) => body?.['event'])).to.deep.equal(['order.sent'])
  })

  it('are paged by a critical alert whatever they prefer (R23)', async () => {
    await run()
    const channels = ['app', 'email', 'sms', 'push']
    await prefer('bob', { preferences: channels.map((channel) => row('*', channel, false)) })
    await program.raise('alerts/critical/system_failure')
    const sent = (await program.phone('bob').messages()).map(({ channel }) => channel)
    expect(sent).to.have.members(['email', 'sms'])
  })

  it('reach themselves where no priority leads, and only there where they can be reached (X05, X06, C16)', async () => {
    await run({ users: { bob: { password: 'bob-password', telegram_chat_id: 7, phone: '+4915112345672' } } })
    const wanted = ['telegram', 'voice', 'browser', 'speech', 'email']
    await prefer('bob', { preferences: wanted.map((channel) => row('order.*', channel, true)) })
    expect(await channelsOf('bob', { event: 'order.sent' })).to.have.members([
      'realtime',
      'voice',
      'telegram',
      'speech',
    ])
    await program.quiet()
    expect((await program.phone('bob').messages()).map(({ channel }) => channel)).to.have.members([
      'voice',
      'telegram',
      'speech',
    ])
  })

  it('see the four severities and no other (X15)', async () => {
    await run()
    for (const severity of ['info', 'success', 'warning', 'error'])
      await program.accepted('notifications/realtime/user/bob', { message: 'Hi', severity })
    expect((await program.inbox('bob')).map(({ content }) => content.severity)).to.deep.equal([
      'info',
      'success',
      'warning',
      'error',
    ])
    for (const severity of ['critical', 'Info', '', 1]) {
      const outcome = await program.publish('notifications/realtime/user/bob', { message: 'Hi', severity })
      expect(outcome, String(severity)).to.include({ kind: 'dead', code: 'publish.invalid_body' })
    }
  })
})
