import { expect } from 'chai'
import { summaryOf } from '../../../src/delivery/digest/summary.ts'
import type { DigestContents } from '../../../src/store/store.ts'
import { alert, notification, NOON } from '../../support/messages.ts'

const parts = {
  outcomesOf: new Set<string>(),
  openedAt: NOON,
  timezone: 'Europe/Berlin',
  publicUrl: 'http://localhost:8080/',
}
const contents = (given: Partial<DigestContents>): DigestContents => ({
  count: 0,
  notificationCount: 0,
  notifications: [],
  alertCount: 0,
  alerts: [],
  ...given,
})
const alerts = (...types: readonly string[]) =>
  types.map((type, index) => alert({ id: `a-${index}`, type, status: 'firing' }))
const notifications = (count: number) =>
  Array.from({ length: count }, (_, index) => notification({ title: `Order ${index}` }))

describe('The summary of what was held back', () => {
  it('counts everything and names the most of it (P11, E12)', () => {
    const held = contents({
      count: 1000,
      notificationCount: 988,
      notifications: notifications(7),
      alertCount: 3,
      alerts: alerts('cpu_high', 'disk_full', 'disk_full'),
    })
    expect(summaryOf(held, parts)).to.deep.equal({
      subject: '1000 messages held back since 13:00',
      text:
        '1000 messages held back since 13:00: 3 alerts (2 disk_full, 1 cpu_high) and 988 notifications ' +
        '(Order 0, Order 1, Order 2, Order 3, Order 4, …). Answer aa to acknowledge all alerts. http://localhost:8080/',
      summary: { alertIds: ['a-0', 'a-1', 'a-2'], notifications: 988 },
    })
  })

  it('leaves out alerts that somebody has taken care of, and says nothing when nothing is left (O11)', () => {
    const [first, second] = alerts('disk_full', 'cpu_high')
    const acknowledged = { ...first!, status: 'acknowledged' as const }
    const one = summaryOf(contents({ count: 2, alertCount: 2, alerts: [acknowledged, second!] }), parts)
    expect(one?.text).to.include('1 alert (1 cpu_high)')
    expect(one?.summary?.alertIds).to.deep.equal(['a-1'])
    expect(summaryOf(contents({ count: 1, alertCount: 1, alerts: [acknowledged] }), parts)).to.equal(null)
    expect(summaryOf(contents({}), parts)).to.equal(null)
  })

  it('tells a single message as itself (O11)', () => {
    const alone = summaryOf(contents({ count: 1, alertCount: 1, alerts: alerts('disk_full') }), parts)
    expect(alone?.subject).to.equal('CRITICAL ALERT: disk_full')
    expect(alone?.summary?.alertIds).to.deep.equal(['a-0'])
    const note = contents({ count: 1, notificationCount: 1, notifications: notifications(1) })
    expect(summaryOf(note, parts)?.text).to.match(/^Order 0: /)
  })

  it('counts alerts beyond those it looked at as firing', () => {
    const held = contents({ count: 3000, alertCount: 3000, alerts: alerts('disk_full', 'disk_full') })
    expect(summaryOf(held, parts)?.text).to.include('3000 alerts')
  })

  it('says how many alerts fire beyond those that it names, so that these alone do not end it', () => {
    const all = alerts(...Array.from({ length: 250 }, () => 'disk_full'))
    const about = summaryOf(contents({ count: 250, alertCount: 250, alerts: all }), parts)?.summary
    expect(about?.alertIds).to.have.length(200)
    expect(about?.unnamed).to.equal(50)
  })

  it('knows that nothing fires beyond those it looked at once one of them does not', () => {
    const [first, second] = alerts('disk_full', 'cpu_high')
    const held = [first!, { ...second!, status: 'resolved' as const }]
    const told = summaryOf(contents({ count: 3000, alertCount: 3000, alerts: held }), parts)
    expect(told?.text).to.include(': 1 alert (1 disk_full)')
    expect(told?.summary).to.deep.equal({ alertIds: ['a-0'], notifications: 0 })
  })
})
