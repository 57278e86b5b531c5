import { expect } from 'chai'
import { OTHER_TENANT } from '../support/fake-directory.ts'
import { alertRow, deadLetterRow, deliveryRow, outboxRow } from '../support/fake-engine.ts'
import { httpHarness, type HttpHarness } from '../support/http-harness.ts'

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH'

describe('the own API', () => {
  let h: HttpHarness
  before(async () => {
    h = await httpHarness()
  })
  beforeEach(() => {
    h.engine.reset()
    const { rows } = h.engine
    rows.alerts.push(
      alertRow('a1'),
      alertRow('a2', { severity: 'warning', team: 'other', status: 'resolved', resolvedAt: 1 }),
      alertRow('a3', { tenant: OTHER_TENANT }),
    )
    rows.timeline.push({ at: alertRow('a1').createdAt, kind: 'opened', by: 'db' })
    rows.deliveries.push(
      deliveryRow('a1.1'),
      deliveryRow('a1.2', { userId: 'bob', channel: 'email', address: 'bob@example.org', state: 'dead' }),
      deliveryRow('n1.1', { subjectKind: 'notification', channel: 'realtime', address: null }),
      deliveryRow('a3.1', { tenant: OTHER_TENANT }),
    )
    rows.deadLetters.push(
      deadLetterRow('d1'),
      deadLetterRow('d2', { payload: Buffer.from([0xff, 0x00]) }),
      deadLetterRow('d3', { tenant: OTHER_TENANT }),
    )
    rows.outbox.push(
      outboxRow('o1'),
      outboxRow('o2', {
        channel: 'email',
        userId: 'bob',
        subject: 'Hi',
        createdAt: outboxRow('o1').createdAt + 5000,
      }),
      outboxRow('o3', { tenant: OTHER_TENANT }),
    )
  })
  after(() => h.close())

  const call = async (who: string | null, method: Method, url: string, payload?: object) =>
    h.app.inject({
      method,
      url,
      headers: who === null ? {} : await h.bearer(who),
      ...(payload && { payload }),
    })
  const idsOf = async (who: string, url: string) => {
    const answer = await call(who, 'GET', url)
    expect(answer.statusCode, url).to.equal(200)
    return (answer.json().items as { id: string }[]).map(({ id }) => id)
  }

  describe('alerts', () => {
    it('are listed per tenant, filtered and in pages (contract section 6)', async () => {
      expect(await idsOf('anna', '/v1/alerts')).to.deep.equal(['a1', 'a2'])
      expect(await idsOf('eve', '/v1/alerts')).to.deep.equal(['a3'])
      expect(await idsOf('anna', '/v1/alerts?status=resolved')).to.deep.equal(['a2'])
      expect(await idsOf('anna', '/v1/alerts?severity=critical')).to.deep.equal(['a1'])
      expect(await idsOf('anna', '/v1/alerts?team=other')).to.deep.equal(['a2'])
      const first = (await call('anna', 'GET', '/v1/alerts?limit=1')).json()
      expect(first.next_cursor).to.equal('1')
      const last = (await call('anna', 'GET', `/v1/alerts?limit=1&cursor=${first.next_cursor}`)).json()
      expect(last.items[0].id).to.equal('a2')
      expect(last).not.to.have.property('next_cursor')
    })

    it('have every field of the contract, their timeline and deliveries (contract section 6)', async () => {
      const body = (await call('anna', 'GET', '/v1/alerts/a1')).json()
      expect(body).to.have.all.keys(
        'id type severity message source affected_systems data dedup_key status acknowledged acknowledged_by acknowledged_at acknowledged_via team step next_step_at count timestamp created_at resolved_at suppressed_by timeline deliveries'.split(
          ' ',
        ),
      )
      expect(body).to.include({
        acknowledged: false,
        timestamp: 1767614400,
        created_at: '2026-01-05T12:00:00.000Z',
        next_step_at: '2026-01-05T12:05:00.000Z',
      })
      expect(body.timeline).to.deep.equal([{ at: '2026-01-05T12:00:00.000Z', kind: 'opened', by: 'db' }])
      expect(body.deliveries.map(({ id }: { id: string }) => id)).to.deep.equal(['a1.1', 'a1.2'])
    })

    it('are acknowledged with who, when and how (contract section 6)', async () => {
      const answer = await call('anna', 'POST', '/v1/alerts/a1/ack', { note: 'On it' })
      expect(answer.statusCode).to.equal(200)
      expect(answer.json()).to.include({
        status: 'acknowledged',
        acknowledged: true,
        acknowledged_by: 'anna',
        acknowledged_via: 'http',
        acknowledged_at: '2026-01-05T12:00:00.000Z',
      })
      expect(h.engine.commands[0]?.command).to.deep.include({ alertId: 'a1', verb: 'ack', note: 'On it' })
    })

    const verbs: [verb: string, payload: object | undefined, expected: object][] = [
      ['ack', undefined, { verb: 'ack' }],
      ['unack', undefined, { verb: 'unack' }],
      ['escalate', {}, { verb: 'escalate' }],
      ['snooze', { for: '30m' }, { verb: 'snooze', forMs: 1_800_000 }],
      ['resolve', { note: 'Fixed' }, { verb: 'resolve', note: 'Fixed' }],
      ['note', { note: 'Hm' }, { verb: 'note', note: 'Hm' }],
      ['reassign', { user: 'bob' }, { verb: 'reassign', user: 'bob' }],
      ['reassign', { team: 'network' }, { verb: 'reassign', team: 'network' }],
    ]
    for (const [verb, payload, expected] of verbs) {
      it(`pass ${verb} on to the engine (contract section 6)`, async () => {
        expect((await call('anna', 'POST', `/v1/alerts/a1/${verb}`, payload)).statusCode).to.equal(200)
        expect(h.engine.commands[0]?.command).to.deep.include(expected)
        expect(h.engine.commands[0]).to.deep.include({ via: 'http' })
      })
    }

    const incomplete: [verb: string, payload: object, field: string][] = [
      ['snooze', {}, 'for'],
      ['snooze', { for: 'a while' }, 'for'],
      ['snooze', { for: '0s' }, 'for'],
      ['reassign', {}, 'user'],
      ['reassign', { user: 'bob', team: 'network' }, 'user'],
    ]
    for (const [verb, payload, field] of incomplete) {
      it(`refuse ${verb} with ${JSON.stringify(payload)}, naming ${field}`, async () => {
        const answer = await call('anna', 'POST', `/v1/alerts/a1/${verb}`, payload)
        expect(answer.statusCode).to.equal(400)
        expect(answer.json().error).to.deep.include({
          code: 'request.invalid',
          details: { field, in: 'body' },
        })
      })
    }

    it('are closed to a stranger with 403 (contract section 6)', async () => {
      const answer = await call('stranger', 'POST', '/v1/alerts/a1/ack')
      expect([answer.statusCode, answer.json().error.code]).to.deep.equal([403, 'alert.forbidden'])
    })

    it('are closed to a client without a grant that spells the verb (security 38)', async () => {
      expect((await call('db', 'POST', '/v1/alerts/a1/ack')).statusCode).to.equal(403)
      expect((await call('panel', 'POST', '/v1/alerts/a1/resolve')).statusCode).to.equal(403)
      expect((await call('panel', 'POST', '/v1/alerts/a1/ack')).statusCode).to.equal(200)
      expect((await call('tool', 'POST', '/v1/alerts/a1/resolve')).statusCode).to.equal(200)
    })
  })

  describe('deliveries', () => {
    it('are a person’s own, and all of the tenant for operators and services (contract section 7)', async () => {
      expect(await idsOf('anna', '/v1/deliveries')).to.deep.equal(['a1.1', 'n1.1'])
      expect(await idsOf('olga', '/v1/deliveries')).to.deep.equal(['a1.1', 'a1.2', 'n1.1'])
      expect(await idsOf('db', '/v1/deliveries')).to.deep.equal(['a1.1', 'a1.2', 'n1.1'])
      expect(await idsOf('eve', '/v1/deliveries')).to.deep.equal(['a3.1'])
      expect((await call('mute', 'GET', '/v1/deliveries')).statusCode).to.equal(403)
    })

    it('are filtered as the contract says (contract section 7)', async () => {
      const found = (query: string) => idsOf('olga', `/v1/deliveries?${query}`)
      expect(await found('user=bob')).to.deep.equal(['a1.2'])
      expect(await found('channel=realtime')).to.deep.equal(['n1.1'])
      expect(await found('state=dead')).to.deep.equal(['a1.2'])
      expect(await found('alert_id=a1')).to.deep.equal(['a1.1', 'a1.2'])
      expect(await found('notification_id=n1')).to.deep.equal(['n1.1'])
      expect(await found('notification_id=n1&alert_id=a1')).to.deep.equal([])
      expect((await call('olga', 'GET', '/v1/deliveries?channel=pigeon')).statusCode).to.equal(400)
    })

    it('hide most of every address and name what they belong to (contract section 7)', async () => {
      const { items } = (await call('olga', 'GET', '/v1/deliveries')).json()
      expect(items[0]).to.include({ address: '+49…78', alert_id: 'a1', sent_at: '2026-01-05T12:00:00.020Z' })
      expect(items[1]).to.include({ address: 'b…@example.org' })
      expect(items[2]).to.include({ address: null, notification_id: 'n1' })
      expect(items[2]).not.to.have.property('alert_id')
    })

    it('show every attempt to whoever may see them, and nothing to others (contract section 7, C19)', async () => {
      const startedAt = Date.UTC(2026, 0, 5, 12)
      const refused = {
        number: 1,
        startedAt,
        endedAt: startedAt + 9,
        provider: 'smtp',
        outcome: 'refused',
      } as const
      h.engine.rows.attempts.splice(0, Infinity, { ...refused, status: 550, code: 'smtp_550', error: 'No' })
      for (const who of ['anna', 'olga', 'db']) {
        const answer = await call(who, 'GET', '/v1/deliveries/a1.1')
        expect(answer.statusCode, who).to.equal(200)
        expect(answer.json()).to.include({ id: 'a1.1', address: '+49…78' })
        expect(answer.json().history).to.deep.equal([
          {
            number: 1,
            started_at: '2026-01-05T12:00:00.000Z',
            ended_at: '2026-01-05T12:00:00.009Z',
            provider: 'smtp',
            outcome: 'refused',
            status: 550,
            code: 'smtp_550',
            error: 'No',
            provider_id: null,
            counted: true,
          },
        ])
      }
      const hidden = [
        ['anna', 'a1.2'],
        ['eve', 'a1.1'],
        ['mute', 'a1.1'],
        ['olga', 'a3.1'],
        ['olga', 'nothing'],
      ] as const
      for (const [who, id] of hidden)
        expect((await call(who, 'GET', `/v1/deliveries/${id}`)).statusCode, `${who} ${id}`).to.equal(404)
    })

    it('are sent again by operators only, and those of others do not exist (contract section 7)', async () => {
      const answer = await call('olga', 'POST', '/v1/deliveries/a1.2/resend')
      expect([answer.statusCode, answer.json()]).to.deep.equal([202, { id: 'a1.2-again' }])
      expect((await call('anna', 'POST', '/v1/deliveries/a1.1/resend')).statusCode).to.equal(403)
      expect((await call('anna', 'POST', '/v1/deliveries/a1.2/resend')).statusCode).to.equal(404)
      expect((await call('anna', 'GET', '/v1/deliveries?user=bob')).statusCode).to.equal(404)
      for (const id of ['nothing', 'a1.9', '.1']) {
        expect((await call('olga', 'POST', `/v1/deliveries/${id}/resend`)).statusCode, id).to.equal(404)
      }
    })
  })

  describe('dead letters', () => {
    it('show what came and why it went nowhere (contract section 7)', async () => {
      const { items } = (await call('olga', 'GET', '/v1/dead-letters')).json()
      expect(items[0]).to.deep.equal({
        id: 'd1',
        topic: 'notifications/realtime/user/nobody',
        payload: '{"message":"Hello"}',
        payload_encoding: 'utf8',
        principal: 'db',
        reason: 'There is no such user',
        code: 'publish.unknown_user',
        created_at: '2026-01-05T12:00:00.000Z',
        replays: 0,
      })
      expect(items[1]).to.include({ payload: '/wA=', payload_encoding: 'base64' })
      expect(items).to.have.length(2)
      expect((await call('olga', 'GET', '/v1/dead-letters/d2')).json()).to.include({ id: 'd2' })
    })

    it('are presented again (contract section 7)', async () => {
      const answer = await call('olga', 'POST', '/v1/dead-letters/d1/replay')
      expect([answer.statusCode, answer.json()]).to.deep.equal([
        202,
        { id: 'm1', result: { status: 'sent' } },
      ])
      h.engine.outcome = { kind: 'dead', id: 'd1', code: 'publish.unknown_user', message: 'Still nobody' }
      expect((await call('olga', 'POST', '/v1/dead-letters/d1/replay')).statusCode).to.equal(404)
    })

    it('are thrown away', async () => {
      expect((await call('olga', 'DELETE', '/v1/dead-letters/d1')).statusCode).to.equal(204)
      expect((await call('olga', 'DELETE', '/v1/dead-letters/d1')).statusCode).to.equal(404)
    })
  })

  describe('the outbox', () => {
    it('lists captured messages oldest first, filtered (contract section 7)', async () => {
      expect(await idsOf('olga', '/v1/outbox')).to.deep.equal(['o1', 'o2'])
      expect(await idsOf('tool', '/v1/outbox?channel=sms')).to.deep.equal(['o1'])
      expect(await idsOf('olga', '/v1/outbox?user=bob')).to.deep.equal(['o2'])
      for (const since of [
        '2026-01-05T12:00:03Z',
        '2026-01-05T13:00:03%2B01:00',
        '1767614403',
        '1767614403000',
      ]) {
        expect(await idsOf('olga', `/v1/outbox?since=${since}`), since).to.deep.equal(['o2'])
      }
      expect((await call('olga', 'GET', '/v1/outbox?since=yesterday')).statusCode).to.equal(400)
      const { items } = (await call('olga', 'GET', '/v1/outbox')).json()
      expect(items[0]).to.deep.equal({
        id: 'o1',
        channel: 'sms',
        user_id: 'anna',
        address: '+4915112345678',
        text: 'CRITICAL: disk',
        actions: [{ id: 'ack', label: 'Acknowledge' }],
        delivery_id: 'a1.2',
        created_at: '2026-01-05T12:00:00.000Z',
      })
    })

    it('takes the answer of a person (contract section 7)', async () => {
      const answer = await call('tool', 'POST', '/v1/outbox/o1/reply', { text: 'ack' })
      expect([answer.statusCode, answer.json()]).to.deep.equal([200, { reply: 'Acknowledged' }])
      await call('olga', 'POST', '/v1/outbox/o1/reply', { action: 'ack' })
      expect(h.engine.replies).to.deep.equal([
        { itemId: 'o1', reply: { text: 'ack' } },
        { itemId: 'o1', reply: { action: 'ack' } },
      ])
      expect((await call('olga', 'POST', '/v1/outbox/o1/reply', {})).statusCode).to.equal(400)
      expect((await call('olga', 'POST', '/v1/outbox/none/reply', { text: 'ack' })).statusCode).to.equal(404)
    })

    it('makes trouble for captured channels, until it is put in place of it (contract section 7)', async () => {
      const put = async (body: object) => {
        const answer = await call('olga', 'PUT', '/v1/outbox/chaos', body)
        return [answer.statusCode, answer.json()]
      }
      const sms = { fail_rate: 0.3, delay_ms: 5000, status: 429 }
      expect(await put({ sms })).to.deep.equal([200, { sms }])
      expect((await call('tool', 'GET', '/v1/outbox/chaos')).json()).to.deep.equal({ sms })
      expect((await call('eve', 'GET', '/v1/outbox/chaos')).json()).to.deep.equal({})
      const email = { fail_rate: 1, delay_ms: 0, status: 503 }
      expect(await put({ email: { fail_rate: 1 }, sms: null })).to.deep.equal([200, { email }])
      expect(await put({ email: {} })).to.deep.equal([200, {}])
      expect(await put({})).to.deep.equal([200, {}])
    })

    const wrong: readonly [body: object, says: RegExp][] = [
      [
        { smss: { fail_rate: 1 } },
        /smss is no captured channel \(did you mean sms\?\); these are: sms, email/,
      ],
      [{ realtime: {} }, /realtime is no captured channel; these are/],
      [{ sms: { fail_rate: 1.1 } }, /sms\/fail_rate must be <= 1/],
      [{ sms: { fail_rate: -0.1 } }, /sms\/fail_rate must be >= 0/],
      [{ sms: { delay_ms: 60_001 } }, /sms\/delay_ms must be <= 60000/],
      [{ sms: { status: 399 } }, /sms\/status must be >= 400/],
      [{ sms: { status: 600 } }, /sms\/status must be <= 599/],
      [{ sms: { failrate: 1 } }, /sms must NOT have additional properties/],
    ]
    for (const [body, says] of wrong) {
      it(`refuses the trouble ${JSON.stringify(body)} and keeps what was set (contract section 7)`, async () => {
        await call('olga', 'PUT', '/v1/outbox/chaos', { email: { fail_rate: 1 } })
        const answer = await call('olga', 'PUT', '/v1/outbox/chaos', body)
        expect([answer.statusCode, answer.json().error.code]).to.deep.equal([400, 'request.invalid'])
        expect(answer.json().error.message).to.match(says)
        expect((await call('olga', 'GET', '/v1/outbox/chaos')).json()).to.have.all.keys('email')
      })
    }

    it('is emptied for one tenant only (security 18)', async () => {
      expect((await call('olga', 'DELETE', '/v1/outbox')).statusCode).to.equal(204)
      expect(h.engine.rows.outbox.map(({ id }) => id)).to.deep.equal(['o3'])
    })
  })

  describe('teams and duty', () => {
    it('say who is on call now, until when and who follows (contract section 5)', async () => {
      expect((await call('anna', 'GET', '/v1/oncall')).json()).to.deep.equal({
        items: [
          {
            team: 'platform',
            user: 'anna',
            name: 'Anna K.',
            users: ['anna'],
            since: null,
            until: '2026-01-05T12:01:00.000Z',
            next: 'bob',
          },
        ],
      })
    })

    it('list the shifts of a window (contract section 6)', async () => {
      const window = 'from=2026-02-01T00:00:00Z&to=2026-02-03T00:00:00%2B02:00'
      expect((await call('anna', 'GET', `/v1/oncall/platform?${window}`)).json()).to.deep.equal({
        items: [{ user: 'anna', from: '2026-02-01T00:00:00.000Z', to: '2026-02-02T22:00:00.000Z' }],
        gaps: [],
      })
      const week = (await call('anna', 'GET', '/v1/oncall/platform')).json().items[0]
      expect(week).to.include({ from: '2026-01-05T12:00:00.000Z', to: '2026-01-12T12:00:00.000Z' })
      expect((await call('anna', 'GET', '/v1/oncall/platform?from=now')).statusCode).to.equal(400)
      expect((await call('anna', 'GET', '/v1/oncall/platform?to=2099-01-01')).statusCode).to.equal(400)
      expect((await call('anna', 'GET', '/v1/oncall/nobody')).statusCode).to.equal(404)
      expect((await call('eve', 'GET', '/v1/oncall/platform')).statusCode).to.equal(404)
    })

    it('list the teams with their policies (contract section 6)', async () => {
      expect((await call('anna', 'GET', '/v1/teams')).json().items).to.deep.equal([
        {
          name: 'platform',
          alert_types: ['disk'],
          members: [
            { id: 'anna', name: 'Anna K.' },
            { id: 'bob', name: 'bob' },
          ],
          on_call: 'anna',
          timezone: 'UTC',
          escalation: { steps: [{ notify: ['oncall'], wait: '5m' }], repeat: 2, ack_timeout: '30m' },
        },
      ])
      expect((await call('eve', 'GET', '/v1/teams')).json().items).to.deep.equal([])
    })
  })

  it('tells everybody who they are', async () => {
    expect((await call('anna', 'GET', '/v1/users/me')).json()).to.deep.include({
      id: 'anna',
      kind: 'user',
      tenant: 'default',
      roles: ['user'],
      email: 'anna@example.org',
      groups: ['ops'],
      teams: ['platform'],
      preferences: { realtime: true, email: true, sms: false, push: true },
    })
    expect((await call('db', 'GET', '/v1/users/me')).json()).to.deep.equal({
      id: 'db',
      kind: 'client',
      tenant: 'default',
      roles: ['service'],
    })
  })

  const closed: [method: Method, url: string, operatorsOnly: boolean][] = [
    ['GET', '/v1/alerts', false],
    ['GET', '/v1/alerts/a1', false],
    ['POST', '/v1/alerts/a1/ack', false],
    ['GET', '/v1/oncall', false],
    ['GET', '/v1/oncall/platform', false],
    ['GET', '/v1/teams', false],
    ['GET', '/v1/deliveries', false],
    ['POST', '/v1/deliveries/a1.1/resend', true],
    ['GET', '/v1/dead-letters', true],
    ['GET', '/v1/dead-letters/d1', true],
    ['DELETE', '/v1/dead-letters/d1', true],
    ['POST', '/v1/dead-letters/d1/replay', true],
    ['GET', '/v1/outbox', true],
    ['DELETE', '/v1/outbox', true],
    ['POST', '/v1/outbox/o1/reply', true],
    ['GET', '/v1/outbox/chaos', true],
    ['PUT', '/v1/outbox/chaos', true],
    ['GET', '/v1/users/me', false],
    ['POST', '/v1/logout', false],
    ['POST', '/v1/ticket', false],
  ]
  for (const [method, url, operatorsOnly] of closed) {
    it(`closes ${method} ${url} to nobody${operatorsOnly ? ' and to those without the role' : ''} (contract section 3)`, async () => {
      const payload = method === 'POST' || method === 'PUT' ? { text: 'ack' } : undefined
      const nobody = await call(null, method, url, payload)
      expect([nobody.statusCode, nobody.json().error.code]).to.deep.equal([401, 'auth.missing'])
      if (!operatorsOnly) return
      const anna = await call('anna', method, url, payload)
      expect([anna.statusCode, anna.json().error.code]).to.deep.equal([403, 'auth.forbidden'])
    })
  }

  // Eve administers the other tenant: she may do everything, but nothing here exists for her.
  const foreign: [method: Method, url: string, payload?: object][] = [
    ['GET', '/v1/alerts/a1'],
    ...['ack', 'unack', 'escalate', 'resolve', 'note'].map((verb): [Method, string] => [
      'POST',
      `/v1/alerts/a1/${verb}`,
    ]),
    ['POST', '/v1/alerts/a1/snooze', { for: '5m' }],
    ['POST', '/v1/alerts/a1/reassign', { user: 'eve' }],
    ['POST', '/v1/deliveries/a1.1/resend'],
    ['GET', '/v1/dead-letters/d1'],
    ['DELETE', '/v1/dead-letters/d1'],
    ['POST', '/v1/dead-letters/d1/replay'],
    ['POST', '/v1/outbox/o1/reply', { text: 'ack' }],
    ['GET', '/v1/oncall/platform'],
  ]
  for (const [method, url, payload] of foreign) {
    it(`answers 404 to the administrator of another tenant for ${method} ${url} (security 18)`, async () => {
      expect((await call('eve', method, url, payload)).statusCode).to.equal(404)
      expect(h.engine.commands).to.deep.equal([])
    })
  }
})
