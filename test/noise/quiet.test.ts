import { expect } from 'chai'
import type { Alert } from '../../src/alert/alert.ts'
import { inhibitionsOf, valuesIn } from '../../src/noise/inhibition/inhibition.ts'
import { createInhibitors } from '../../src/noise/inhibition/inhibitors.ts'
import { mutes, nextPhaseAt, phaseOf, type Maintenance } from '../../src/noise/maintenance/maintenance.ts'
import { quietOf } from '../../src/noise/quiet.ts'
import { matches, type AlertMatch, type Silence } from '../../src/noise/silence.ts'
import { anAlert, MINUTE, NOON, TENANT } from '../alert/an-alert.ts'

const registered = <T>(key: string, doc: T) => ({
  tenant: TENANT,
  owner: '',
  key,
  doc,
  version: 1,
  changedAt: 0,
})
const silence = (until: number, more: Partial<Silence> = {}): Silence => ({
  match: { type: 'disk' },
  owner: 'anna',
  reason: 'r',
  createdAt: 0,
  until,
  ...more,
})
const window = (more: Partial<Maintenance> = {}): Maintenance => ({
  start: NOON,
  end: NOON + MINUTE,
  components: [],
  systems: ['db1'],
  sources: [],
  types: [],
  groups: [],
  announcedAt: 0,
  by: 'x',
  cancelledAt: null,
  ...more,
})

describe('A silence', () => {
  const rows: readonly (readonly [AlertMatch, boolean])[] = [
    [{}, false],
    [{ type: 'disk' }, true],
    [{ type: 'di*' }, true],
    [{ type: 'dis' }, false],
    [{ source: 'db*' }, true],
    [{ source: '*2' }, false],
    [{ severity: 'critical' }, true],
    [{ severity: 'info' }, false],
    [{ team: 'platform' }, true],
    [{ team: 'other' }, false],
    [{ type: '*', team: 'other' }, false],
  ]
  for (const [match, fits] of rows)
    it(`with ${JSON.stringify(match)} is ${fits ? '' : 'not '}about the disk of db1 (A8)`, () => {
      expect(matches(match, anAlert())).to.equal(fits)
    })

  it('by source is not about an alert that has none', () => {
    expect(matches({ source: '*' }, anAlert({ source: null }))).to.equal(false)
  })
})

describe('Of several reasons', () => {
  const grounds = { silences: [], windows: [], source: null, holdMs: 0 }

  it('says what an alert follows, and of what only where that is known', () => {
    const after = (source: string | null) =>
      quietOf(anAlert(), { ...grounds, source: anAlert({ type: 'gateway_down', source }) }, NOON)?.text
    expect(after('gw-7')).to.equal('Follows gateway_down of gw-7')
    expect(after(null)).to.equal('Follows gateway_down')
  })
  const source = anAlert({ id: 'g' })

  it('a silence counts before a window before another alert before a hold, and the one that ends last', () => {
    const silences = [registered('a', silence(NOON + 1)), registered('b', silence(NOON + 9))]
    const windows = [registered('w', window())]
    const by = (given: object, now = NOON) => quietOf(anAlert(), { ...grounds, ...given }, now)?.by
    expect(by({ silences, windows, source, holdMs: 5 })).to.equal('silence:b')
    expect(by({ windows, source, holdMs: 5 })).to.equal('maintenance:w')
    expect(by({ source, holdMs: 5 })).to.equal('alert:g')
    expect(by({ holdMs: 5 })).to.equal('hold')
    expect(by({ holdMs: 5 }, NOON + 5)).to.equal(undefined)
    expect(by({ silences }, NOON + 9)).to.equal(undefined)
    const ended = { silences: [registered('a', silence(NOON + 9, { ended: { at: NOON, by: 'x' } }))] }
    expect(by(ended)).to.equal(undefined)
  })
})

describe('A maintenance window mutes', () => {
  const alert = anAlert()
  const rows: readonly (readonly [string, Maintenance, Alert, number, boolean])[] = [
    ['at its start', window(), alert, NOON, true],
    ['until its end', window(), alert, NOON + MINUTE, false],
    ['nothing before', window({ start: NOON + 1 }), alert, NOON, false],
    ['nothing that was open before it', window({ start: NOON + 1 }), alert, NOON + 2, false],
    [
      'nothing that was open before its announcement',
      window({ announcedAt: NOON + 1 }),
      alert,
      NOON + 2,
      false,
    ],
    ['nothing when cancelled', window({ cancelledAt: NOON }), alert, NOON, false],
    ['nothing without an end', window({ end: null }), alert, NOON, false],
    ['systems by source', window(), alert, NOON, true],
    ['affected systems', window(), anAlert({ source: 'x', affectedSystems: ['db1'] }), NOON, true],
    ['sources by pattern', window({ systems: [], sources: ['db*'] }), alert, NOON, true],
    ['types by pattern', window({ systems: [], types: ['d*'] }), alert, NOON, true],
    ['nothing else', window({ systems: ['db2'], types: ['x'] }), alert, NOON, false],
  ]
  for (const [name, of, one, now, muted] of rows)
    it(`${name} (R35, E21)`, () => {
      expect(mutes(of, one, now)).to.equal(muted)
    })

  it('in phases, each of which has its instant', () => {
    const ahead = window({ start: NOON + 10, end: NOON + 20 })
    const phases = [0, 6, 10, 20].map((ms) => [
      phaseOf(ahead, NOON + ms, 4),
      nextPhaseAt(ahead, NOON + ms, 4),
    ])
    expect(phases).to.deep.equal([
      ['announced', NOON + 6],
      ['reminded', NOON + 10],
      ['begun', NOON + 20],
      ['over', null],
    ])
    expect(phaseOf(window({ cancelledAt: 1 }), NOON, 0)).to.equal('over')
  })
})

describe('A pattern of the topic tree', () => {
  const rows: readonly (readonly [string, string, object | null])[] = [
    ['plant/{site}/gw', 'plant/a/gw', { site: 'a' }],
    ['plant/{site}/gw', 'plant/a/x', null],
    ['plant/{site}/gw', 'plant/a/gw/x', null],
    ['plant/{site}/#', 'plant/a/b/c', { site: 'a' }],
    ['plant/{site}/#', 'plant/a', null],
    ['plant/+/{line}', 'plant/a/1', { line: '1' }],
    ['plant', 'plant/a', null],
  ]
  for (const [pattern, topic, values] of rows)
    it(`${pattern} makes of ${topic}: ${JSON.stringify(values)}`, () => {
      expect(valuesIn(pattern, topic)).to.deep.equal(values)
    })
})

describe('Alerts that explain others', () => {
  const times = { hold: '0s', grace: '0s', when_over: 'release' } as const
  const alert = (id: string, type: string, more: Partial<Alert> = {}) => anAlert({ id, type, ...more })
  const rule = (source: string, target: string, equal: string[] = []) => ({
    source: { type: source },
    target: { type: target },
    equal,
    ...times,
  })
  const circle = [rule('a', 'b'), rule('b', 'c'), rule('c', 'a')]

  it('in a circle are told of unless an older one explains them, in whatever order they came', () => {
    const all = [alert('1', 'b'), alert('2', 'a'), alert('3', 'c')]
    for (const order of [all, all.toReversed()]) {
      const inhibitors = createInhibitors(inhibitionsOf({ inhibit: circle, inhibit_tree: [] }))
      for (const each of order) inhibitors.changed(each)
      expect(all.map((each) => inhibitors.sourceOf(each)?.id ?? null)).to.deep.equal([null, null, '1'])
    }
  })

  it('have to have the equal fields, and lacking one is not having it in common', () => {
    const [only] = inhibitionsOf({ inhibit: [rule('a', 'b', ['data.site', 'source'])], inhibit_tree: [] })
    expect(only?.sourceKey(alert('1', 'a', { data: { site: 1 } }))).to.equal('["1","db1"]')
    expect(only?.targetKey(alert('2', 'b', { data: { site: '1' } }))).to.equal('["1","db1"]')
    expect(only?.targetKey(alert('2', 'b'))).to.equal(null)
    expect(only?.targetKey(alert('2', 'b', { data: { site: 1 }, source: null }))).to.equal(null)
    expect(only?.targetKey(alert('2', 'a', { data: { site: 1 } }))).to.equal(null)
  })

  it('are none of each other’s concern in another tenant, and none when resolved', () => {
    const inhibitors = createInhibitors(inhibitionsOf({ inhibit: [rule('a', 'b')], inhibit_tree: [] }))
    const target = alert('2', 'b')
    inhibitors.changed(alert('1', 'a', { tenant: 'acme' as Alert['tenant'] }))
    expect(inhibitors.sourceOf(target)).to.equal(null)
    inhibitors.changed(alert('3', 'a'))
    expect(inhibitors.sourceOf(target)?.id).to.equal('3')
    inhibitors.changed(alert('3', 'a', { status: 'resolved' }))
    expect(inhibitors.sourceOf(target)).to.equal(null)
  })
})
