import { expect } from 'chai'
import type { TenantId } from '../../src/access/principal.ts'
import type { Alert } from '../../src/alert/alert.ts'
import { createBoard } from '../../src/board/board.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { TENANT } from '../support/memory-inbox.ts'
import { sampleAlert } from '../support/sample-alert.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { silentLog } from '../support/silent-log.ts'

const HOUR = 3_600_000
const ACME = 'acme' as TenantId

/** A board before a broker that keeps what it retains. Anna and Bob take turns of twelve hours. */
function board(retained = new Map<string, string>()) {
  const clock = fakeClock()
  const start = clock.now()
  const { log, lines } = silentLog()
  const published: string[] = []
  const turns = { people: ['anna', 'bob'], from: start, teams: ['platform'], beside: [] as string[] }
  const turn = (at: number) => Math.floor((at - turns.from) / (12 * HOUR))
  const personOf = (number: number) => turns.people[number % turns.people.length] ?? 'nobody'
  const subject = createBoard({
    publish(topic, payload) {
      published.push(topic)
      if (payload === '') retained.delete(topic)
      else retained.set(topic, payload)
    },
    clock,
    log,
    wireAlert: ({ id, status, count, version }) => ({ id, status, count, version }),
    teams: () => turns.teams.map((name) => ({ name, tenant: TENANT })),
    currentShift: (_team, _tenant, at) =>
      at < turns.from
        ? null
        : {
            user: personOf(turn(at)),
            users: [personOf(turn(at)), ...turns.beside],
            to: turns.from + (turn(at) + 1) * 12 * HOUR,
          },
    nextOnCall: (_team, _tenant, at) =>
      at < turns.from
        ? { user: personOf(0), from: turns.from }
        : { user: personOf(turn(at) + 1), from: turns.from + (turn(at) + 1) * 12 * HOUR },
    nameOf: (user) => `${user.charAt(0).toUpperCase()}${user.slice(1)} K.`,
  })
  const shown = (topic: string) => {
    const payload = retained.get(topic)
    return payload === undefined ? null : (JSON.parse(payload) as Record<string, unknown>)
  }
  return { clock, start, lines, published, retained, subject, shown, turns }
}

describe('the board of open alerts', () => {
  it('shows an open alert, follows its changes, and is cleared on resolve (contract section 5)', () => {
    const { retained, subject, shown } = board()
    subject.alertChanged(sampleAlert())
    expect(shown('state/alerts/a1')).to.include({ status: 'firing' })
    subject.alertChanged(sampleAlert({ version: 2, status: 'acknowledged' }))
    expect(shown('state/alerts/a1')).to.include({ status: 'acknowledged' })
    subject.alertChanged(sampleAlert({ version: 3, status: 'resolved' }))
    expect([...retained.keys()]).to.deep.equal([])
  })

  it('never shows an older state over a newer one, whatever order the changes are told in', () => {
    const { retained, subject, shown } = board()
    subject.alertChanged(sampleAlert({ version: 2, count: 5 }))
    subject.alertChanged(sampleAlert({ version: 1, count: 9 }))
    subject.alertChanged(sampleAlert({ version: 2, count: 4 }))
    expect(shown('state/alerts/a1')).to.include({ version: 2, count: 5 })
    subject.alertChanged(sampleAlert({ version: 4, status: 'resolved' }))
    subject.alertChanged(sampleAlert({ version: 3, status: 'acknowledged' }))
    expect([...retained.keys()]).to.deep.equal([])
  })

  it('equals the store after a start, whatever the broker had retained and whatever changes meanwhile', async () => {
    const stale = new Map([
      ['state/alerts/gone', '{}'],
      ['state/alerts/a2', '{"id":"a2","version":1}'],
      ['state/system/db', '{}'],
    ])
    const { subject, shown, retained } = board(stale)
    async function* open() {
      yield sampleAlert({ id: 'a1' })
      await Promise.resolve()
      subject.alertChanged(sampleAlert({ id: 'a3', version: 2, status: 'resolved' }))
      yield sampleAlert({ id: 'a2', version: 5 })
      yield sampleAlert({ id: 'a3' })
    }
    await subject.rebuild(open(), [...stale.keys()])
    expect(
      [...retained.keys()].filter((topic) => topic.startsWith('state/alerts/')).toSorted(),
    ).to.deep.equal(['state/alerts/a1', 'state/alerts/a2'])
    expect(shown('state/alerts/a2')).to.include({ version: 5 })
    expect(retained.has('state/system/db')).to.equal(true)
  })

  it('equals the store after a crash at any point of any story', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = seededRandom(seed)
      const store = new Map<string, Alert>()
      const retained = new Map<string, string>()
      let current = board(retained)
      for (let step = 0; step < 60; step += 1) {
        const id = `a${random.below(12)}`
        const before = store.get(id)
        if (before?.status === 'resolved') continue
        const status = random.pick(['firing', 'acknowledged', 'resolved', 'snoozed'] as const)
        const after = sampleAlert({ id, status, version: (before?.version ?? 0) + 1 })
        store.set(id, after)
        // A crash between the commit and its effects: nobody tells the board.
        if (random.chance(0.8)) current.subject.alertChanged(after)
        else {
          current = board(retained)
          const open = [...store.values()].filter((alert) => alert.status !== 'resolved')
          await current.subject.rebuild(open, [...retained.keys()])
        }
      }
      const open = [...store.values()].filter((alert) => alert.status !== 'resolved')
      await current.subject.rebuild(open, [...retained.keys()])
      const shown = [...retained.entries()]
        .filter(([topic]) => topic.startsWith('state/alerts/'))
        .map(([, payload]) => (JSON.parse(payload) as Alert).id)
      expect(shown.toSorted(), `seed ${seed}`).to.deep.equal(open.map((alert) => alert.id).toSorted())
    }
  })

  it('knows whose alert a topic shows, also while its clearing is on the way', () => {
    const { subject } = board()
    subject.alertChanged(sampleAlert({ tenant: ACME }))
    expect(subject.tenantOf('state/alerts/a1')).to.equal(ACME)
    subject.alertChanged(sampleAlert({ tenant: ACME, version: 2, status: 'resolved' }))
    expect(subject.tenantOf('state/alerts/a1')).to.equal(ACME)
    expect(subject.tenantOf('state/alerts/other')).to.equal(undefined)
    expect(subject.tenantOf('a1')).to.equal(undefined)
  })
})

describe('the board of who is on call', () => {
  it('shows who is on call, until when and who is next, and changes at the hand-off', async () => {
    const { clock, start, published, subject, shown } = board()
    await subject.rebuild([])
    expect(shown('state/oncall/platform')).to.deep.equal({
      team: 'platform',
      user: 'anna',
      name: 'Anna K.',
      users: [{ user: 'anna', name: 'Anna K.' }],
      until: new Date(start + 12 * HOUR).toISOString(),
      next: { user: 'bob', name: 'Bob K.', from: new Date(start + 12 * HOUR).toISOString() },
    })
    await clock.pass(12 * HOUR - 1)
    expect(shown('state/oncall/platform')).to.include({ user: 'anna' })
    await clock.pass(1)
    expect(shown('state/oncall/platform')).to.include({ user: 'bob' })
    await clock.pass(24 * HOUR)
    expect(published).to.have.length(4)
    expect(clock.waiting).to.have.length(1)
    subject.close()
    expect(clock.waiting).to.deep.equal([])
  })

  it('says that nobody is on call in a gap, and wakes at its end', async () => {
    const { clock, start, turns, subject, shown } = board()
    turns.from = start + HOUR
    await subject.rebuild([])
    expect(shown('state/oncall/platform')).to.include({
      user: null,
      name: null,
      until: new Date(start + HOUR).toISOString(),
    })
    await clock.pass(HOUR)
    expect(shown('state/oncall/platform')).to.include({ user: 'anna' })
  })

  it('follows an override at once, publishes nothing that is unchanged, and clears a team that is gone', async () => {
    const { published, turns, retained, subject, shown } = board()
    await subject.rebuild([])
    subject.oncallChanged()
    expect(published).to.have.length(1)
    turns.people = ['cleo', 'bob']
    subject.oncallChanged()
    expect(shown('state/oncall/platform')).to.include({ user: 'cleo' })
    expect(subject.tenantOf('state/oncall/platform')).to.equal(TENANT)
    turns.teams = []
    subject.oncallChanged()
    expect([...retained.keys()]).to.deep.equal([])
  })
})

describe('the board of components', () => {
  it('publishes a status only when it has changed (R34)', () => {
    const { published, subject, shown } = board()
    const said = { component: 'db', state: 'down', detail: { a: 1, b: 2 }, timestamp: 1 }
    expect(subject.systemStatus(TENANT, 'db', said)).to.equal(true)
    expect(
      subject.systemStatus(TENANT, 'db', {
        timestamp: 2,
        detail: { b: 2, a: 1 },
        state: 'down',
        component: 'db',
      }),
    ).to.equal(false)
    expect(subject.systemStatus(TENANT, 'db', { ...said, state: 'operational' })).to.equal(true)
    expect(published).to.deep.equal(['state/system/db', 'state/system/db'])
    expect(shown('state/system/db')).to.include({ state: 'operational' })
    expect(subject.tenantOf('state/system/db')).to.equal(TENANT)
  })

  it('keeps a component with the tenant that named it first', () => {
    const { subject, shown, lines } = board()
    subject.systemStatus(TENANT, 'db', { state: 'operational' })
    expect(subject.systemStatus(ACME, 'db', { state: 'down' })).to.equal(false)
    expect(shown('state/system/db')).to.deep.equal({ state: 'operational' })
    expect(lines.map((line) => line['reason'])).to.deep.equal(['the component belongs to another tenant'])
  })

  it('takes no name that cannot be one topic level', () => {
    const { published, subject } = board()
    for (const name of ['', 'a/b', '+', '#', 'a\0b', 'x'.repeat(129)])
      expect(subject.systemStatus(TENANT, name, { state: 'down' }), name).to.equal(false)
    expect(published).to.deep.equal([])
  })

  it('holds a thousand components of a tenant and no more', () => {
    const { subject } = board()
    for (let count = 0; count < 1000; count += 1)
      expect(subject.systemStatus(TENANT, `c${count}`, { state: 'down' })).to.equal(true)
    expect(subject.systemStatus(TENANT, 'one more', { state: 'down' })).to.equal(false)
    expect(subject.systemStatus(TENANT, 'c7', { state: 'operational' })).to.equal(true)
    expect(subject.systemStatus(ACME, 'theirs', { state: 'down' })).to.equal(true)
  })
})
