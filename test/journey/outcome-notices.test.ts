import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'

const MINUTE = 60_000

describe('Those who were paged hear how it went on (contract section 6, E16)', function () {
  this.timeout(30_000)
  let h: Harness

  beforeEach(async () => {
    h = await harness()
  })

  afterEach(() => h.close())

  /** What a person was told beside pages, by channel. */
  const told = async (user: string) =>
    (await h.phone(user).messages())
      .filter(({ text, subject }) => /^(ACKNOWLEDGED|OPEN AGAIN|RESOLVED)/.test(subject ?? text))
      .map(
        ({ channel, subject, text, actions }) =>
          `${channel} ${/^[A-Z ]+/.exec(subject ?? text)?.[0]}${actions.length}`,
      )
      .toSorted()
  const act = (verb: string, id: string, as: string, body: object = {}) =>
    h.accepted(`alerts/${id}/${verb}`, body, { as }).then(() => h.quiet())

  it('once on every channel that reached them, with nothing to press, and not the one who did it', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    await act('ack', id, 'bob')
    expect(await told('bob')).to.deep.equal([])
    expect(await told('anna')).to.deep.equal(['email ACKNOWLEDGED0', 'sms ACKNOWLEDGED0'])
    const [sms] = (await h.phone('anna').messages('sms')).slice(-1)
    expect(sms?.text).to.match(/^ACKNOWLEDGED: system_failure: Bob took it on at \d\d:\d\d\. Out of order$/)
    await act('ack', id, 'anna')
    expect(await told('anna')).to.have.length(2)
    await act('resolve', id, 'bob')
    expect(await told('anna')).to.deep.equal([
      'email ACKNOWLEDGED0',
      'email RESOLVED0',
      'sms ACKNOWLEDGED0',
      'sms RESOLVED0',
    ])
    expect(await told('bob')).to.deep.equal([])
    await act('resolve', id, 'anna')
    expect(await told('bob')).to.deep.equal([])
    expect(await told('cem')).to.deep.equal([])
  })

  it('when the condition is reported as over, whoever had it', async () => {
    const id = await h.raise('alerts/critical/system_failure', { source: 'db' })
    await h.accepted('alerts/critical/system_failure', { message: 'Fine', source: 'db', status: 'resolved' })
    await h.quiet()
    expect((await h.alert(id)).status).to.equal('resolved')
    for (const user of ['anna', 'bob'])
      expect(await told(user)).to.deep.equal(['email RESOLVED0', 'sms RESOLVED0'])
  })

  it('when nobody has it any more, unless the very same change pages them', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    await h.pass(5 * MINUTE)
    await act('ack', id, 'cem')
    await act('unack', id, 'cem')
    // Step 1 pages Bob and the administrator again; Cem did it himself.
    for (const user of ['anna', 'bob']) {
      expect((await told(user)).filter((each) => each.includes('OPEN'))).to.deep.equal([])
      expect(
        (await h.phone(user).messages('sms')).filter(({ actions }) => actions.length > 0),
      ).to.have.length(2)
    }
    expect(await told('cem')).to.deep.equal([])
    await act('ack', id, 'bob')
    await act('escalate', id, 'bob')
    expect((await told('anna')).filter((each) => each.includes('OPEN'))).to.deep.equal([
      'email OPEN AGAIN0',
      'sms OPEN AGAIN0',
    ])
    expect((await told('cem')).filter((each) => each.includes('OPEN'))).to.deep.equal([])
  })

  it('when it was not resolved in time, so that whoever had it knows', async () => {
    await h.close()
    h = await harness({
      config: {
        teams: {
          platform: {
            alert_types: ['system_failure'],
            schedule: { layers: [{ rotate: ['bob'] }] },
            escalation: {
              steps: [{ notify: ['oncall'], wait: '5m' }, { notify: ['user:cem'] }],
              ack_timeout: '30m',
            },
          },
        },
      },
    })
    const id = await h.raise('alerts/critical/system_failure')
    await h.pass(5 * MINUTE)
    await act('ack', id, 'cem')
    await h.pass(30 * MINUTE)
    expect((await h.alert(id)).status).to.equal('firing')
    expect((await told('cem')).filter((each) => each.includes('OPEN'))).to.deep.equal([
      'email OPEN AGAIN0',
      'sms OPEN AGAIN0',
    ])
  })

  it('when time closed it after seven days in which nothing was heard of it (E16, E26)', async () => {
    await h.close()
    const escalation = {
      steps: [{ notify: ['oncall'], wait: '5m' }, { notify: ['user:cem'] }],
      auto_resolve: '7d',
    }
    const schedule = { layers: [{ rotate: ['bob'] }] }
    const teams = { platform: { alert_types: ['system_failure'], schedule, escalation } }
    h = await harness({ config: { teams } })
    const taken = await h.raise('alerts/critical/system_failure', { source: 'taken' })
    const left = await h.raise('alerts/critical/system_failure', { source: 'left' })
    await h.pass(5 * MINUTE)
    await act('ack', taken, 'bob')
    await h.restart(7 * 24 * 60 * MINUTE - 1)
    const ended = async (user: string) => (await told(user)).filter((each) => each.includes('RESOLVED'))
    for (const user of ['anna', 'bob', 'cem']) expect(await ended(user)).to.deep.equal([])
    await h.pass(1)
    for (const id of [taken, left]) expect((await h.alert(id)).status).to.equal('resolved')
    for (const user of ['anna', 'bob', 'cem'])
      expect(await ended(user), user).to.deep.equal([
        'email RESOLVED0',
        'email RESOLVED0',
        'sms RESOLVED0',
        'sms RESOLVED0',
      ])
    await h.restart(60 * MINUTE)
    expect(await ended('bob')).to.have.length(4)
  })

  it('not when they alone were told and did it themselves, and never by a call', async () => {
    await h.close()
    h = await harness({
      config: {
        users: {
          anna: { name: 'Anna', password: 'anna-password', roles: ['user', 'admin'] },
          bob: {
            name: 'Bob',
            password: 'bob-password',
            phone: '+4915112345672',
            contact_rules: { critical: [{ after: '0s', via: ['voice', 'sms'] }] },
          },
        },
      },
    })
    const id = await h.raise('alerts/critical/system_failure')
    const known = (await h.deliveries(id)).length
    await act('ack', id, 'bob')
    expect(await h.deliveries(id)).to.have.length(known)
    await act('resolve', id, 'anna')
    expect(
      (await h.deliveries(id)).slice(known).map(({ channel, purpose }) => `${channel} ${purpose}`),
    ).to.deep.equal(['sms outcome'])
    expect(await h.phone('bob').messages('voice')).to.have.length(1)
  })

  it('on their open pages as well, where they are told at once who took it', async () => {
    const anna = await h.client('anna')
    await anna.subscribe('users/anna/alerts')
    const bob = await h.client('bob')
    await bob.subscribe('users/bob/alerts')
    const id = await h.raise('alerts/critical/system_failure')
    await act('ack', id, 'bob')
    await anna.caughtUp()
    await bob.caughtUp()
    const frames = anna.received.map(({ body }) => body)
    expect(frames.map((body) => body?.['type'])).to.deep.equal(['critical_alert', 'alert_outcome'])
    expect(frames[1]).to.deep.include({ outcome: 'acknowledged', by: 'bob' })
    expect(frames[1]?.['alert']).to.deep.include({ id, status: 'acknowledged', acknowledged_by: 'bob' })
    expect(bob.received).to.have.length(1)
  })

  it('in no way that an answer could do harm with', async () => {
    const first = await h.raise('alerts/critical/system_failure')
    await act('ack', first, 'bob')
    const item = (await h.phone('anna').messages('sms')).find(({ text }) => text.startsWith('ACKNOWLEDGED'))
    const operator = h.app.engine.directory.principal('console')!
    const said = await h.app.engine.replyToOutbox(operator, item?.id ?? '', { text: 'ack' })
    expect(said).to.include('acknowledged by bob')
    await act('resolve', first, 'bob')
    const over = (await h.phone('anna').messages('sms')).find(({ text }) => text.startsWith('RESOLVED'))
    await h.app.engine.replyToOutbox(operator, over?.id ?? '', { action: 'ack' })
    expect(await h.alert(first)).to.include({ status: 'resolved', acknowledgedBy: 'bob' })
  })

  it('without taking the room of pages, and in the summary where there is none left (E11, E12)', async () => {
    await h.close()
    h = await harness({ config: { throttle: { sms: [[3, '15m']], voice: [] } } })
    const ids: string[] = []
    for (const source of ['a', 'b', 'c']) {
      ids.push(await h.raise('alerts/critical/system_failure', { source }))
      await h.pass(1)
    }
    for (const id of ids.slice(0, 2)) await act('ack', id, 'bob')
    const held = (await h.deliveries(ids[0] ?? '')).filter(
      ({ purpose, channel }) => purpose === 'outcome' && channel === 'sms',
    )
    expect(held.map(({ userId, state, reason }) => [userId, state, reason])).to.deep.equal([
      ['anna', 'suppressed', 'throttled'],
    ])
    await h.pass(MINUTE)
    const [summary] = (await h.phone('anna').messages('sms')).slice(-1)
    expect(summary?.text).to.include('2 alerts acknowledged (2 system_failure)')
  })
})
