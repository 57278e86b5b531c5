import { expect } from 'chai'
import { harness, type Harness, type HarnessOptions } from '../support/harness.ts'
import { mailServer, type MailServer } from '../support/mail-server.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('the faults of the sample code (checklist 1.6) are absent', () => {
  let program: Harness
  let mail: MailServer | null = null
  const run = async (config: HarnessOptions['config'] = {}, failing: HarnessOptions['failing'] = []) =>
    (program = await harness({ config, failing }))
  const withMail = async (
    refuse?: (address: string, attempt: number) => number | null,
    failing?: HarnessOptions['failing'],
  ) => {
    mail = await mailServer(refuse)
    return run(
      { channels: { email: { mode: 'live', smtp_url: mail.url, from: 'Alerts <alerts@example.org>' } } },
      failing,
    )
  }
  afterEach(async () => {
    await program.close()
    await mail?.close()
    mail = null
  })

  describe('fault 1: one failing channel', () => {
    it('keeps nobody else from being paged and the escalation from being scheduled', async () => {
      await withMail((address) => (address === 'bob@example.org' ? 550 : null), ['sms'])
      const id = await program.raise('alerts/critical/system_failure')
      expect(mail?.taken.map(({ to }) => to)).to.deep.equal(['anna@example.org'])
      const failed = (await program.deliveries(id)).filter(({ state }) => state === 'dead')
      expect(failed.map(({ userId, channel }) => `${userId} ${channel}`)).to.have.members([
        'anna sms',
        'bob sms',
        'bob email',
      ])
      expect(await program.alert(id)).to.include({ step: 1, nextStepAt: program.now + 5 * MINUTE })
      await program.pass(5 * MINUTE)
      expect(mail?.taken.map(({ to }) => to)).to.deep.equal(['anna@example.org', 'cem@example.org'])
    })

    it('brings the next step forward when nobody at all could be reached (P7, P20)', async () => {
      await withMail((address) => (address === 'cem@example.org' ? null : 550), ['sms'])
      const start = program.now
      const id = await program.raise('alerts/critical/system_failure')
      expect(mail?.taken.map(({ to }) => to)).to.deep.equal(['cem@example.org'])
      expect((await program.timeline(id)).find(({ step }) => step === 2)?.at).to.equal(start)
    })

    it('is tried again when it failed for now, while the others have theirs', async () => {
      await withMail((address, attempt) => (address === 'bob@example.org' && attempt <= 3 ? 451 : null))
      await program.raise('alerts/critical/system_failure')
      expect(mail?.taken.map(({ to }) => to)).to.deep.equal(['anna@example.org'])
      await program.pass(MINUTE)
      expect(mail?.taken.map(({ to }) => to)).to.deep.equal(['anna@example.org', 'bob@example.org'])
      expect(mail?.asked.get('bob@example.org')).to.equal(4)
    })
  })

  it('fault 2: an acknowledgement exists and stops the escalation, and the record outlives a day', async () => {
    await run()
    const id = await program.raise('alerts/critical/system_failure')
    const result = await program.accepted(`alerts/${id}/ack`, { note: 'On it' }, { as: 'bob' })
    expect(result).to.include({ status: 'acknowledged', alert_id: id, acknowledged_by: 'bob' })
    await program.pass(30 * MINUTE)
    expect(await program.phone('cem').messages()).to.deep.equal([])
    await program.restart(25 * HOUR)
    await program.pass(15 * MINUTE)
    expect(await program.alert(id)).to.include({
      status: 'acknowledged',
      acknowledgedBy: 'bob',
      message: 'Out of order',
    })
    expect((await program.timeline(id)).map(({ kind }) => kind)).to.deep.equal([
      'opened',
      'step',
      'acknowledged',
    ])
  })

  it('fault 3: a send to somebody who is connected arrives', async () => {
    await run()
    const bob = await program.client('bob')
    await bob.subscribe('users/bob/+')
    await program.raise('alerts/critical/system_failure')
    const page = await bob.first(({ topic }) => topic === 'users/bob/alerts')
    expect(page.body).to.include({ type: 'critical_alert', requires_acknowledgment: true })
    expect(page.body?.['alert']).to.include({
      type: 'system_failure',
      message: 'Out of order',
      acknowledged: false,
    })
    await program.accepted('notifications/realtime/user/bob', { message: 'Hello' })
    expect((await bob.count('users/bob/notifications', 1))[0]?.body).to.include({
      message: 'Hello',
      user_id: 'bob',
    })
  })

  describe('fault 4: being connected for longer than an hour', () => {
    it('does not end the receiving', async () => {
      await run()
      const bob = await program.client('bob')
      await bob.subscribe('users/bob/notifications')
      for (let round = 0; round < 6; round++) {
        await program.pass(20 * MINUTE)
        await bob.caughtUp()
      }
      await program.accepted('notifications/realtime/user/bob', { message: 'Still there?' })
      expect((await bob.count('users/bob/', 1))[0]?.body).to.include({ message: 'Still there?' })
    })

    it('is possible for an announced session, whose heartbeats prolong it by an hour each (R38)', async () => {
      await run()
      const say = (verb: string, body: object) =>
        program.accepted(`websocket/${verb}/bob`, body, { as: 'bob' })
      expect(await say('connect', { session_id: 'phone' })).to.deep.equal({
        status: 'connected',
        session_id: 'phone',
      })
      for (let round = 0; round < 3; round++) {
        await program.pass(59 * MINUTE)
        expect(await say('heartbeat', {})).to.include({ status: 'alive', session_id: 'phone' })
      }
      await program.pass(HOUR)
      expect((await say('heartbeat', {}))['session_id'], 'missing heartbeats end it').to.not.equal('phone')
    })
  })

  describe('fault 5: coming back', () => {
    const messages = Array.from({ length: 15 }, (_, index) => `Message ${index + 1}`)
    const bodies = (received: readonly { readonly body: Readonly<Record<string, unknown>> | null }[]) =>
      received.map(({ body }) => body?.['message'])

    it('replays everything unread, oldest first, once for each connection, a day later too', async () => {
      await run()
      for (const message of messages) await program.accepted('notifications/realtime/user/bob', { message })
      await program.restart(25 * HOUR)
      for (let visit = 0; visit < 2; visit++) {
        const bob = await program.client('bob')
        await bob.subscribe('users/bob/notifications')
        await bob.count('users/bob/', 15)
        await bob.caughtUp()
        expect(bodies(bob.received)).to.deep.equal(messages)
        await bob.end()
      }
    })

    it('replays nothing that was read', async () => {
      await run()
      for (const message of messages) await program.accepted('notifications/realtime/user/bob', { message })
      const [first] = await program.inbox('bob')
      await program.accepted(`users/bob/notifications/${first?.id}/read`, {}, { as: 'bob' })
      const before = await program.client('bob')
      await before.subscribe('users/bob/notifications')
      await before.count('users/bob/', 14)
      await before.caughtUp()
      expect(bodies(before.received)).to.deep.equal(messages.slice(1))
      await before.publish('users/bob/notifications/read-all', {})
      const after = await program.client('bob')
      await after.subscribe('users/bob/notifications')
      await after.caughtUp()
      expect(after.received).to.deep.equal([])
    })
  })

  describe('fault 6: the unread counter', () => {
    it('is not all that a broadcast reaches: an error goes by e-mail to whoever wants it, by one row for all', async () => {
      await run({ users: { dora: { email: 'dora@example.org', preferences: { email: false } } } })
      await program.accepted('notifications/realtime/broadcast', { message: 'Fire drill', severity: 'error' })
      await program.quiet()
      expect(await program.phone('bob').messages('email')).to.have.length(1)
      expect(await program.phone('cem').messages('email')).to.have.length(1)
      expect(await program.phone('dora').messages('email')).to.have.length(0)
      expect(await program.inbox('dora')).to.have.length(1)
    })

    it('goes down as well as up, and counts broadcasts', async () => {
      await run()
      const bob = await program.client('bob')
      await bob.subscribe('users/bob/unread')
      await program.accepted('notifications/realtime/user/bob', { message: 'One' })
      await program.accepted('notifications/realtime/user/bob', { message: 'Two' })
      await program.accepted('notifications/realtime/broadcast', { message: 'To all' })
      expect(await program.unread('bob')).to.deep.equal({ total: 3, unread: 3 })
      const entries = await program.inbox('bob')
      expect(entries.map(({ content }) => content.message)).to.deep.equal(['One', 'Two', 'To all'])
      await program.accepted(`users/bob/notifications/${entries[0]?.id}/read`, {}, { as: 'bob' })
      await program.accepted(`users/bob/notifications/${entries[2]?.id}/read`, {}, { as: 'bob' })
      expect(await program.unread('bob')).to.deep.equal({ total: 3, unread: 1 })
      expect(await program.unread('cem'), 'a broadcast is read by each person for themselves').to.deep.equal({
        total: 1,
        unread: 1,
      })
      await program.accepted(`users/bob/notifications/${entries[0]?.id}/unread`, {}, { as: 'bob' })
      await program.accepted(`users/bob/notifications/${entries[2]?.id}/delete`, {}, { as: 'bob' })
      expect(await program.unread('bob')).to.deep.equal({ total: 2, unread: 2 })
      await program.accepted('users/bob/notifications/read-all', {}, { as: 'bob' })
      await program.pass(SECOND)
      const last = await bob.first(({ body }) => body?.['total'] === 2 && body['unread'] === 0)
      expect(last.body?.['version']).to.be.a('number')
    })

    it('is not the only thing that a broadcast respects: who switched realtime off finds it in the inbox only', async () => {
      await run({ users: { bob: { password: 'bob-password', preferences: { realtime: false } } } })
      const bob = await program.client('bob')
      const cem = await program.client('cem')
      for (const [id, device] of [
        ['bob', bob],
        ['cem', cem],
      ] as const)
        await device.subscribe(`users/${id}/notifications`)
      await program.accepted('notifications/realtime/broadcast', { message: 'To all' })
      await cem.count('users/cem/', 1)
      await bob.caughtUp()
      expect(bob.received).to.deep.equal([])
      expect((await program.inbox('bob')).map(({ content }) => content.message)).to.deep.equal(['To all'])
    })
  })

  it('fault 7: push is not among the channels of somebody without a device, and no delivery claims it', async () => {
    await run()
    const result = await program.accepted('notifications/realtime/user/bob', {
      message: 'Hi',
      priority: 'critical',
    })
    expect(result).to.deep.include({ status: 'sent', channels: ['realtime', 'email'] })
    await program.quiet()
    const rows = await program.deliveries(String(result['notification_id']))
    expect(rows.map(({ channel, state }) => [channel, state])).to.deep.equal([
      ['realtime', 'pending'],
      ['email', 'sent'],
    ])

    const id = await program.raise('alerts/critical/system_failure')
    const pushes = (await program.deliveries(id)).filter(({ channel }) => channel === 'push')
    expect(pushes.map(({ state, reason }) => [state, reason])).to.deep.equal([
      ['suppressed', 'no_device'],
      ['suppressed', 'no_device'],
    ])
    expect((await program.alert(id)).told).to.deep.equal({
      anna: ['realtime', 'email', 'sms'],
      bob: ['realtime', 'email', 'sms'],
    })
  })

  describe('fault 8: what was put off', () => {
    it('is sent at its time, mails and notifications alike, over a restart too', async () => {
      await withMail()
      const sendAt = program.now / 1000 + 3600
      const later = { to: 'kunde@example.org', subject: 'Later', body: 'Text', send_at: sendAt }
      expect(await program.accepted('notifications/email/send', later)).to.include({ status: 'email_queued' })
      await program.accepted('notifications/realtime/user/bob', { message: 'Later', send_at: sendAt })
      await program.restart(30 * MINUTE)
      await program.pass(30 * MINUTE - 1)
      expect(mail?.taken).to.deep.equal([])
      expect(await program.inbox('bob')).to.deep.equal([])
      await program.pass(1)
      expect(mail?.taken.map(({ to }) => to)).to.deep.equal(['kunde@example.org'])
      expect((await program.inbox('bob')).map(({ createdAt }) => createdAt)).to.deep.equal([sendAt * 1000])
      await program.pass(HOUR)
      expect(mail?.taken).to.have.length(1)
      expect(await program.inbox('bob')).to.have.length(1)
    })

    it('is retried: a direct mail three times in all, a longer spacing each time (R24)', async () => {
      await withMail((address, attempt) => (address === 'never@example.org' || attempt < 3 ? 451 : null))
      const send = async (to: string) =>
        String(
          (await program.accepted('notifications/email/send', { to, subject: 'S', body: 'B' }))['email_id'],
        )
      const arrives = await send('late@example.org')
      const never = await send('never@example.org')
      await program.quiet()
      expect(mail?.asked.get('late@example.org')).to.equal(1)
      await program.pass(HOUR)
      expect(mail?.taken.map(({ to }) => to)).to.deep.equal(['late@example.org'])
      expect((await program.deliveries(arrives))[0]).to.include({ state: 'sent', attempts: 3 })
      expect((await program.deliveries(never))[0]).to.include({
        state: 'dead',
        reason: 'attempts_exhausted',
        attempts: 3,
      })
    })

    it('does not pile up: captured messages and dead letters go when their time is over', async () => {
      await run()
      await program.raise('alerts/critical/system_failure')
      await program.publish('notifications/realtime/user/nobody', { message: 'Hi' })
      expect(await program.phone('bob').messages('sms')).to.have.length(1)
      expect(await program.deadLetters()).to.have.length(1)
      await program.restart(6 * DAY)
      await program.pass(MINUTE)
      expect(await program.phone('anna').messages('sms'), 'kept for a week').to.not.deep.equal([])
      await program.restart(7 * DAY)
      await program.pass(MINUTE)
      expect(await program.phone('anna').messages('sms')).to.deep.equal([])
      expect(await program.deadLetters(), 'kept for a month').to.have.length(1)
      await program.restart(30 * DAY)
      await program.pass(MINUTE)
      expect(await program.deadLetters()).to.deep.equal([])
    })
  })

  describe('fault 9: what a publisher sends', () => {
    it('does not name a queue: a priority outside the list is refused and kept as a dead letter (R16)', async () => {
      await run()
      for (const [topic, body] of [
        ['notifications/realtime/user/bob', { message: 'Hi', priority: 'urgent' }],
        ['notifications/email/send', { to: 'a@example.org', subject: 'S', body: 'B', priority: '../../etc' }],
        ['notifications/sms/send', { phone: '+4915112345678', message: 'Hi', priority: 'CRITICAL' }],
      ] as const) {
        expect(await program.publish(topic, body), topic).to.include({
          kind: 'dead',
          code: 'publish.invalid_body',
        })
      }
      expect(await program.deadLetters()).to.have.length(3)
      expect(await program.inbox('bob')).to.deep.equal([])
    })

    it('does not say who it is: nobody connects in another name, people nor machines (R39)', async () => {
      await run()
      for (const as of ['cem', 'device']) {
        expect(await program.publish('websocket/connect/bob', {}, { as }), as).to.include({
          kind: 'refused',
          code: 'publish.forbidden',
        })
      }
    })

    it('does not page twice when it is sent again (P3)', async () => {
      await run()
      const body = { id: 'm-1', message: 'Down', source: 'db' }
      const first = await program.publish('alerts/critical/system_failure', body)
      const again = await program.publish('alerts/critical/system_failure', body)
      expect(again).to.deep.equal({ ...first, duplicate: true })
      const id = first.kind === 'stored' ? String(first.result['alert_id']) : ''
      await program.quiet()
      expect((await program.alert(id)).count).to.equal(1)
      await program.accepted(`alerts/${id}/resolve`, {}, { as: 'bob' })
      await program.restart(23 * HOUR)
      expect(
        await program.publish('alerts/critical/system_failure', body),
        'also when it is over',
      ).to.include({ duplicate: true })
      await program.quiet()
      expect(await program.phone('bob').messages('sms')).to.have.length(1)
    })
  })

  it('fault 10: the publisher learns the result and what follows on its receipt topic', async () => {
    await run()
    const device = await program.client('device')
    expect(await device.subscribe('receipts/device/#')).to.equal(1)
    await device.publish('alerts/critical/system_failure', { id: 'm-1', message: 'Down' }, 2)
    const [first] = await device.count('receipts/device/m-1', 1)
    expect(first?.body).to.deep.include({
      id: 'm-1',
      topic: 'alerts/critical/system_failure',
      status: 'accepted',
    })
    expect(first?.body?.['result']).to.include({ status: 'critical_alert_sent', notified_users: 2 })
    const [open] = await program.openAlerts()
    await device.first(
      ({ body }) => body?.['status'] === 'sent' && body['channel'] === 'sms' && body['user'] === 'bob',
    )
    await program.accepted(`alerts/${open?.id}/ack`, {}, { as: 'bob' })
    await device.first(
      ({ body }) => body?.['id'] === 'm-1' && body['status'] === 'acknowledged' && body['by'] === 'bob',
    )
    await device.publish('notifications/realtime/user/nobody', { id: 'm-2', message: 'Hi' })
    expect((await device.count('receipts/device/m-2', 1))[0]?.body).to.include({
      status: 'rejected',
      code: 'publish.unknown_user',
    })
  })

  it('fault 13: a shared subscription is refused instead of granted and left without messages', async () => {
    await run()
    for (const protocolVersion of [4, 3] as const) {
      const device = await program.client('device', { protocolVersion })
      expect(await device.subscribe('$share/workers/plain/#')).to.equal(128)
      expect(await device.subscribe('plain/#')).to.equal(1)
      await device.publish('plain/job', { number: protocolVersion })
      await device.first(({ body }) => body?.['number'] === protocolVersion)
    }
  })
})
