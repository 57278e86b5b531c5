import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { accelerated, SPEED } from '../support/faketime.ts'
import { HttpApi, type Accepted, type Refused } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'

const MINUTE = 60_000
/** A step or page may be this late: two seconds of ours. What is exact is told by the same stories on a fake clock. */
const LATE = 2 * MINUTE
const RESTART_AT = 24
const AWAY = 7

const hhmm = (at: number) => new Date(at).toISOString().slice(11, 16)
const iso = (at: number) => new Date(at).toISOString()

const person = (index: number, rules = 'app, sms', delayed: readonly string[] = []) =>
  `{ password: story-password, phone: "+4915112345${600 + index}", groups: [g${index % 2}], contact_rules: { critical: [{ after: 0s, via: [${rules}] }${delayed.map((after) => `, { after: ${after}, via: [sms] }`).join('')}] } }`

const team = (types: string, steps: readonly string[], more = '', schedule = 'layers: [{ rotate: [bob] }]') =>
  `{ alert_types: [${types}], schedule: { ${schedule} }, escalation: { steps: [${steps.join(', ')}]${more} } }`
const step = (notify: string, wait: string) => `{ notify: [${notify}], wait: ${wait} }`

/** One team with a policy of its own for every story, so that all run at once and none touches another. */
const config = (begin: number, late = 'app') => `
users:
  anna: { password: story-password, roles: [user, admin] }
  bob: ${person(1)}
  cem: ${person(2)}
  dora: ${person(3)}
  rita: ${person(4, 'sms', ['4m', '9m'])}
  olga: ${person(5, 'sms', ['10m'])}
  emil: ${person(6, 'sms', [`${RESTART_AT + 2}m`, `${RESTART_AT + 3}m`])}
  lena: ${person(7, late)}
  mia: ${person(8, 'sms', ['5m'])}
clients:
  device: { token: device-token, publish: ["alerts/#", "notifications/#", "heartbeats/#"], subscribe: [], rate_limit: { max_requests: 100000, window_seconds: 60 } }
  console: { token: console-token, roles: [ops, admin], publish: ["alerts/+/ack"], subscribe: [], rate_limit: { max_requests: 100000, window_seconds: 60 } }
throttle: { sms: [[1000, 15m]] }
heartbeats:
  backup: { every: 4m, grace: 1m, alert: { severity: critical, type: e15_missed } }
  muted: { every: 4m, grace: 1m, alert: { severity: critical, type: e15_muted } }
teams:
  e1: ${team('e1', [step('oncall', '5m'), step('"user:cem"', '5m'), step('"user:dora"', '1h')])}
  e2: ${team('e2', [step('"user:rita"', '1h')])}
  e3: ${team('e3', [step('"group:g0", "user:bob", oncall', '1h')])}
  e4: ${team('e4', [step('"user:olga"', '10m'), step('"user:olga"', '1h')])}
  e5: ${team('e5', [step('"user:emil"', '3h')])}
  e6: ${team('e6', [step('"user:lena"', '6m'), step('"user:lena"', '1h')])}
  e7: ${team('e7_lonely', [step('oncall', '3m'), step('"user:cem"', '1h')], '', 'layers: []')}
  e7_empty: ${team('e7_empty', [])}
  e8: ${team('e8', [step('oncall', '1h'), step('"user:cem"', '5m'), step('"user:dora"', '1h')])}
  e9: ${team('e9', [step('oncall', '5m'), step('oncall', '1h')])}
  e9_other: ${team('e9_other', [step('"user:cem"', '1h')])}
  e13: ${team('"e13*"', [step('oncall', '4m'), step('"user:cem"', '1h')])}
  e15: ${team('"e15*"', [step('oncall', '9m'), step('"user:cem"', '1h')])}
  e17: ${team('e17', [step('"user:mia", "user:cem"', '9m'), step('"user:mia", "user:cem"', '1h')], ', acks_required: 2')}
  e21: ${team('e21', [step('oncall', '5m'), step('"user:cem"', '1h')])}
  e22: ${team('e22', [step('oncall', '10m'), step('oncall', '1h')], '', `timezone: UTC, layers: [{ rotate: [cem, dora], every: 1h, handoff: "${hhmm(begin + 6 * MINUTE)}" }]`)}
  e23: ${team('e23', [step('oncall', '6m'), step('oncall', '8m'), step('oncall', '1h')])}
  e24: ${team('e24', [step('oncall', '6m'), step('oncall', '8m'), step('oncall', '1h')], '', `timezone: UTC, layers: [{ rotate: [bob] }, { rotate: [cem], only: [{ from: "${hhmm(begin + 4 * MINUTE)}", to: "${hhmm(begin + 12 * MINUTE)}" }] }]`)}
`

interface Entry {
  readonly at: string
  readonly kind: string
  readonly step?: number
  readonly repeat?: number
  readonly users?: readonly string[]
}
interface Seen {
  readonly id: string
  readonly type: string
  readonly status: string
  readonly step: number
  readonly count: number
  readonly created_at: string
  readonly suppressed_by: string | null
  readonly timeline: readonly Entry[]
  readonly deliveries: readonly {
    readonly user_id: string
    readonly channel: string
    readonly purpose: string
    readonly sent_at: string | null
  }[]
}

describe(`The escalation stories in a process whose clock goes ${SPEED} times as fast`, function () {
  this.timeout(120_000)
  const stories: { readonly run: () => Promise<void>; done: Promise<void> }[] = []
  let installation: Installation | undefined
  let program: Program
  let startedAt = 0
  let begin = 0

  const device = new HttpApi(() => program, 'device-token')
  const operator = new HttpApi(() => program, 'console-token')
  /** The program's own time. */
  const now = () => startedAt + (Date.now() - startedAt) * SPEED
  const minute = (minutes: number) =>
    eventually(`minute ${minutes}`, () => now() >= begin + minutes * MINUTE || undefined, 60_000)

  before(async function () {
    startedAt = Date.now()
    const env = accelerated(startedAt)
    if (env === null) {
      if (process.env['REQUIRE_FAKETIME'] === '1')
        throw new Error('REQUIRE_FAKETIME is set and faketime is not installed')
      console.log('    SKIPPED: faketime is not installed (apt install faketime)')
      return this.skip()
    }
    installation = new Installation(config(startedAt))
    program = await installation.start(env)
    // A start takes seconds of ours, which are minutes of the plan.
    begin = now()
    await reconfigure(config(begin))
    for (const story of stories) {
      story.done = story.run()
      // Told by its own test.
      story.done.catch(() => {})
    }
  })
  after(() => installation?.remove())

  const reconfigure = async (text: string) => {
    installation?.configure(text)
    const { status, body } = await operator.post('/v1/config/reload')
    expect(status, JSON.stringify(body)).to.equal(200)
  }

  /** All of them begin together; each test waits for its own. */
  const story = (title: string, run: () => Promise<void>) => {
    const entry = { run, done: Promise.resolve() }
    stories.push(entry)
    it(title, () => entry.done)
  }

  const raise = async (type: string, body: object = {}) => {
    const { status, body: answer } = await device.publish<Accepted>(
      `alerts/critical/${type}`,
      JSON.stringify({ message: 'Out of order', source: 'story', ...body }),
    )
    expect(status, JSON.stringify(answer)).to.equal(202)
    return String(answer.result['alert_id'])
  }
  const act = async (id: string, verb: string, as = operator, body: object = {}) => {
    const answer = await as.post<Refused>(`/v1/alerts/${id}/${verb}`, body)
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200)
  }
  const see = (id: string) => operator.get<Seen>(`/v1/alerts/${id}`)
  const as = (user: string) => HttpApi.login(() => program, user, 'story-password')
  const open = async (type: string) =>
    (await operator.get<{ items: readonly Seen[] }>('/v1/alerts?limit=200')).items.filter(
      (alert) => alert.type === type,
    )
  /** Who got how many text messages as pages. */
  const texts = ({ deliveries }: Seen) => {
    const counts: Record<string, number> = {}
    for (const { user_id: user, channel, purpose, sent_at: at } of deliveries)
      if (channel === 'sms' && purpose === 'page' && at !== null) counts[user] = (counts[user] ?? 0) + 1
    return counts
  }
  const steps = ({ timeline }: Seen) => timeline.filter(({ kind }) => kind === 'step')
  const told = (alert: Seen) => steps(alert).map(({ users }) => (users ?? []).toSorted().join())
  /** That these instants are so many minutes after the first, not earlier, and hardly later. */
  const due = (instants: readonly string[], minutes: readonly number[]) => {
    expect(instants).to.have.length(minutes.length)
    // What is late puts off all that is counted from it.
    minutes.forEach((expected, index) => {
      const after = Date.parse(instants[index]!) - Date.parse(instants[0]!)
      expect(after, `of ${instants.join()}`).to.be.within(
        expected * MINUTE,
        expected * MINUTE + LATE * (index + 1),
      )
    })
  }

  story('step 2 is told after the wait of step 1 and not earlier, and so on (E1)', async () => {
    const id = await raise('e1')
    await minute(15)
    const alert = await see(id)
    due(
      steps(alert).map(({ at }) => at),
      [0, 5, 10],
    )
    expect(texts(alert)).to.deep.equal({ bob: 1, cem: 1, dora: 1 })
  })

  story("a person's own contact rules are followed, until the acknowledgement (E2)", async () => {
    const id = await raise('e2')
    const sent = async () =>
      (await see(id)).deliveries.filter(({ purpose, sent_at: at }) => purpose === 'page' && at !== null)
    await eventually('the delayed text', async () => (await sent()).length === 2 || undefined)
    await act(id, 'ack')
    await minute(16)
    const alert = await see(id)
    expect(texts(alert)).to.deep.equal({ rita: 2 })
    const [, delayed] = await sent()
    due([steps(alert)[0]?.at ?? '', delayed?.sent_at ?? ''], [0, 4])
  })

  story('everybody of a step is told, each once (E3)', async () => {
    const id = await raise('e3')
    await minute(3)
    expect(texts(await see(id))).to.deep.equal({ bob: 1, cem: 1, rita: 1, emil: 1, mia: 1 })
  })

  story('two cycles that come due together on one contact are one message (E4)', async () => {
    const id = await raise('e4')
    await minute(16)
    expect(texts(await see(id))).to.deep.equal({ olga: 2 })
    await minute(RESTART_AT - 1)
    expect(texts(await see(id)), 'step 2 began the rules anew').to.deep.equal({ olga: 3 })
  })

  story('a rule that is added after the cycle began counts from the next step on (E6)', async () => {
    const id = await raise('e6')
    await minute(2)
    await reconfigure(config(begin, 'app, sms'))
    await minute(10)
    const alert = await see(id)
    expect(texts(alert)).to.deep.equal({ lena: 1 })
    const text = alert.deliveries.find(({ user_id: user, channel }) => user === 'lena' && channel === 'sms')
    expect(Date.parse(text?.sent_at ?? '')).to.be.at.least(Date.parse(steps(alert)[1]?.at ?? ''))
  })

  story('gaps in a plan hold up nobody, and an empty policy is not escalated by hand (E7)', async () => {
    const empty = await raise('e7_empty')
    const lonely = await raise('e7_lonely')
    const refused = await operator.post<Refused>(`/v1/alerts/${empty}/escalate`)
    expect([refused.status, refused.body.error.code]).to.deep.equal([409, 'alert.no_policy'])
    await minute(3)
    const alert = await see(lonely)
    expect(texts(alert)).to.deep.equal({ cem: 1 })
    expect(alert.timeline.map(({ kind }) => kind)).to.include('skipped')
  })

  story('an acknowledged alert that is escalated by hand fires its next step and goes on (E8)', async () => {
    const id = await raise('e8')
    await act(id, 'ack')
    await act(id, 'escalate')
    const firing = await see(id)
    expect(firing).to.include({ status: 'firing', step: 2 })
    await minute(10)
    const alert = await see(id)
    expect(told(alert)).to.deep.equal(['bob', 'cem', 'dora'])
    due(
      steps(alert)
        .slice(1)
        .map(({ at }) => at),
      [0, 5],
    )
  })

  story('an alert that goes to another team and back leaves no timer behind (E9)', async () => {
    const id = await raise('e9')
    await minute(2)
    await act(id, 'reassign', operator, { team: 'e9_other' })
    await minute(12)
    expect(texts(await see(id)), 'the old step 2 never fired').to.deep.equal({ bob: 1, cem: 1 })
    await act(id, 'reassign', operator, { team: 'e9' })
    await minute(14)
    expect(texts(await see(id)), 'the way back tells at once').to.deep.equal({ bob: 2, cem: 1 })
  })

  story(
    'a key is one alert, whose end stops its steps; the end of nothing is nothing (E13, E14)',
    async () => {
      const end = () =>
        device.publish('alerts/critical/e13', '{"message":"Up","source":"story","status":"resolved"}')
      expect((await end()).body.result).to.include({ status: 'alert_not_open' })
      const id = await raise('e13')
      expect(await raise('e13', { message: 'Other text' })).to.equal(id)
      const other = await raise('e13_b')
      expect((await end()).body.result).to.include({ status: 'alert_resolved', alert_id: id })
      await minute(8)
      expect(await see(id)).to.include({ status: 'resolved', count: 2, step: 1 })
      expect(texts(await see(id))).to.deep.equal({ bob: 1 })
      expect(texts(await see(other))).to.deep.equal({ bob: 1, cem: 1 })
    },
  )

  story('a missed heartbeat is an alert that its return ends; a muted one tells nobody (E15)', async () => {
    const silence = {
      match: { type: 'e15_muted' },
      reason: 'Is being replaced',
      until: iso(now() + 60 * MINUTE),
    }
    expect((await operator.post('/v1/silences', silence)).status).to.equal(201)
    const beat = () => device.post('/v1/heartbeats/backup')
    expect((await beat()).status).to.equal(202)
    const heard = now()
    const [missed] = await eventually('the alarm', async () => {
      const found = await open('e15_missed')
      return found.length > 0 ? found : undefined
    })
    expect(Date.parse(missed?.created_at ?? '')).to.be.within(heard + 4 * MINUTE, heard + 5 * MINUTE + LATE)
    await beat()
    const id = missed?.id ?? ''
    const resolved = await eventually('its end', async () => {
      const alert = await see(id)
      return alert.status === 'resolved' ? alert : undefined
    })
    expect(texts(resolved)).to.deep.equal({ bob: 1 })
    await minute(20)
    expect(texts(await see(id)), 'no later step').to.deep.equal({ bob: 1 })
    const [muted] = await open('e15_muted')
    expect(muted?.status).to.equal('suppressed')
    expect(texts(await see(muted?.id ?? ''))).to.deep.equal({})
  })

  story('where two must acknowledge, the first one stops the own pages only (E17)', async () => {
    const [mia, cem, id] = await Promise.all([as('mia'), as('cem'), raise('e17')])
    await act(id, 'ack', mia)
    await minute(7)
    expect(texts(await see(id))).to.deep.equal({ mia: 1, cem: 1 })
    await minute(12)
    expect(texts(await see(id)), 'a cycle that began after her acknowledgement').to.deep.equal({
      mia: 2,
      cem: 2,
    })
    await act(id, 'ack', cem)
    await minute(20)
    expect(await see(id)).to.include({ status: 'acknowledged' })
    expect(texts(await see(id)).mia).to.be.at.most(3)
    expect(texts(await see(id)).cem).to.equal(2)
  })

  story('maintenance lets open alerts go on and mutes new ones until its end (E21)', async () => {
    const before = await raise('e21', { source: 'before' })
    const end = now() + 9 * MINUTE
    const window = {
      id: 'w1',
      title: 'Update',
      affected_systems: ['e21'],
      start: iso(now() - MINUTE),
      end: iso(end),
    }
    expect(
      (
        await device.publish(
          'notifications/system/maintenance',
          JSON.stringify({ ...window, alert_types: ['e21'] }),
        )
      ).status,
    ).to.equal(202)
    const muted = await raise('e21', { source: 'after' })
    expect(await see(muted)).to.include({ status: 'suppressed', suppressed_by: 'maintenance:w1' })
    const refused = await operator.post<Refused>(`/v1/alerts/${muted}/escalate`)
    expect([refused.status, refused.body.error.code]).to.deep.equal([409, 'alert.suppressed'])
    await minute(8)
    expect(texts(await see(muted))).to.deep.equal({})
    expect(texts(await see(before))).to.deep.equal({ bob: 1, cem: 1 })
    await minute(13)
    const alert = await see(muted)
    expect(texts(alert)).to.deep.equal({ bob: 1 })
    expect(Date.parse(steps(alert)[0]?.at ?? '')).to.be.at.least(end)
  })

  story('a hand-off between two steps is looked up when the second fires (E22)', async () => {
    const id = await raise('e22')
    await minute(13)
    const [first, second] = told(await see(id))
    expect([first, second]).to.have.members(['cem', 'dora'])
    const { items } = await operator.get<{
      items: readonly { readonly user: string; readonly to: string }[]
    }>(`/v1/oncall/e22?from=${iso(begin)}&to=${iso(begin + 30 * MINUTE)}`)
    expect(items.map(({ user }) => user)).to.deep.equal([first, second])
    expect(hhmm(Date.parse(items[0]?.to ?? ''))).to.equal(hhmm(begin + 6 * MINUTE))
  })

  story('an override adds or replaces somebody for its window (E23)', async () => {
    const change = (body: object) =>
      operator.post('/v1/oncall/e23/overrides', {
        from: iso(begin + 4 * MINUTE),
        to: iso(begin + 12 * MINUTE),
        ...body,
      })
    expect((await change({ user: 'cem' })).status).to.equal(201)
    expect((await change({ user: 'dora', kind: 'add' })).status).to.equal(201)
    const id = await raise('e23')
    await minute(17)
    expect(told(await see(id))).to.deep.equal(['bob', 'cem,dora', 'bob'])
  })

  story('a layer has somebody in its hours only (E24)', async () => {
    const id = await raise('e24')
    await minute(17)
    expect(told(await see(id))).to.deep.equal(['bob', 'cem', 'bob'])
  })

  it('what came due on one contact while the process was gone is one message, and nothing came twice (E5, P13)', async () => {
    const [alert] = await eventually('the alert', async () => {
      const found = await open('e5')
      return found.length > 0 ? found : undefined
    })
    const id = alert?.id ?? ''
    await Promise.allSettled(stories.map(({ done }) => done))
    await minute(RESTART_AT)
    expect(texts(await see(id))).to.deep.equal({ emil: 1 })
    const before = await everyStep()
    await program.end('SIGKILL')
    await minute(RESTART_AT + AWAY)
    const env = accelerated(now())
    if (env === null) throw new Error('faketime is gone')
    program = (await installation?.start(env)) ?? program
    await eventually('the text', async () => texts(await see(id))['emil'] === 2 || undefined)
    await minute(RESTART_AT + AWAY + 4)
    expect(texts(await see(id))).to.deep.equal({ emil: 2 })
    const after = await everyStep()
    expect(after).to.include.members(before)
    expect(new Set(after).size).to.equal(after.length)
  })
  stories.push({ run: async () => void (await raise('e5')), done: Promise.resolve() })

  /** Every step that fired, but for the alert whose policy began anew by hand. */
  async function everyStep(): Promise<readonly string[]> {
    const { items } = await operator.get<{ items: readonly Seen[] }>('/v1/alerts?limit=200')
    const alerts = await Promise.all(items.filter(({ type }) => type !== 'e9').map(({ id }) => see(id)))
    return alerts
      .flatMap((alert) => steps(alert).map(({ step, repeat }) => `${alert.id} ${repeat}/${step}`))
      .toSorted()
  }
})
