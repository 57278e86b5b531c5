import { expect } from 'chai'
import {
  alertEnd,
  allDecided,
  deliveryLine,
  entryLine,
  formatLine,
  formatOffset,
} from '../../src/cli/timeline.ts'

const START = Date.UTC(2026, 0, 5, 12)
const iso = (ms: number) => new Date(START + ms).toISOString()

describe('a line of what happens', () => {
  const ENTRIES: readonly (readonly [entry: Readonly<Record<string, unknown>>, line: string])[] = [
    [{ at: iso(0), kind: 'opened', by: 'demo' }, '  +0.00 s  alert opened by demo'],
    [
      { at: iso(4), kind: 'step', by: 'carillon', step: 1, users: ['anna', 'bob'] },
      '  +0.00 s  step 1: anna, bob',
    ],
    [{ at: iso(12_000), kind: 'step', by: 'carillon', step: 2 }, '  +12.0 s  no answer -> step 2'],
    [
      { at: iso(36_000), kind: 'step', step: 1, repeat: 1, users: ['anna'] },
      '  +36.0 s  no answer -> step 1: anna',
    ],
    [{ at: iso(9000), kind: 'step', by: 'bob', step: 2 }, '  +9.00 s  step 2'],
    [{ at: iso(900), kind: 'repeated', text: 'x3' }, '  +0.90 s  fired again: x3'],
    [
      { at: iso(900), kind: 'skipped', step: 2, text: 'nobody is on call' },
      '  +0.90 s  step 2 skipped: nobody is on call',
    ],
    [{ at: iso(99_960), kind: 'finished' }, '  +100.0 s nobody answered: no step is left'],
    [
      { at: iso(15_400), kind: 'acknowledged', by: 'bob', via: 'outbox' },
      '  +15.4 s  acknowledged by bob (outbox)',
    ],
    [
      { at: iso(15_400), kind: 'acknowledged', by: 'bob', via: null, text: 'on it' },
      '  +15.4 s  acknowledged by bob: on it',
    ],
    [
      { at: iso(1), kind: 'unacknowledged', by: 'bob', via: 'http' },
      '  +0.00 s  acknowledgement taken back by bob (http)',
    ],
    [{ at: iso(9_999), kind: 'escalated', by: 'bob' }, '  +10.0 s  escalated by bob'],
    [{ at: iso(1000), kind: 'snoozed', by: 'bob', text: '30m' }, '  +1.00 s  snoozed by bob: 30m'],
    [{ at: iso(1000), kind: 'returned' }, '  +1.00 s  open again'],
    [
      { at: iso(0), kind: 'suppressed', by: 'carillon', text: 'Silenced by anna: New disks' },
      '  +0.00 s  kept quiet: Silenced by anna: New disks',
    ],
    [
      { at: iso(0), kind: 'grouped', by: 'carillon', users: ['bob'], text: 'Also b on r1' },
      '  +0.00 s  told together: bob: Also b on r1',
    ],
    [
      { at: iso(1000), kind: 'reassigned', by: 'bob', text: 'To team network' },
      '  +1.00 s  handed over by bob: To team network',
    ],
    [{ at: iso(1000), kind: 'promoted' }, '  +1.00 s  now critical'],
    [{ at: iso(1000), kind: 'reassigned', by: 'bob', users: ['cem'] }, '  +1.00 s  handed over by bob: cem'],
    [
      { at: iso(1000), kind: 'note', by: 'bob', text: 'disk ordered' },
      '  +1.00 s  note by bob: disk ordered',
    ],
    [{ at: iso(60_000), kind: 'resolved', by: 'demo', via: 'mqtt' }, '  +60.0 s  resolved by demo (mqtt)'],
    [{ at: START + 2000, kind: 'note', by: 'ms' }, '  +2.00 s  note by ms'],
    [{ at: START / 1000 + 3, kind: 'note', by: 's' }, '  +3.00 s  note by s'],
    [{ at: iso(1), kind: 'note', by: 'b', text: 'a\u001b[2Jb' }, '  +0.00 s  note by b: a [2Jb'],
  ]
  for (const [entry, line] of ENTRIES) {
    it(`is "${line.trim()}"`, () => {
      const shown = entryLine(entry)
      expect(shown && formatLine(shown, START)).to.equal(line)
    })
  }

  for (const kind of ['escalated', 'reassigned', 'unacknowledged', 'returned', 'promoted']) {
    it(`blames nobody's silence for a step that comes because the alert was ${kind}`, () => {
      const step = { at: iso(9000), kind: 'step', by: 'carillon', step: 2, users: ['bob'] }
      expect(entryLine(step, { at: iso(9000), kind, by: 'anna' })?.text).to.equal('step 2: bob')
      expect(entryLine(step, { at: iso(9000), kind: 'note', by: 'anna' })?.text).to.equal(
        'no answer -> step 2: bob',
      )
    })
  }

  it('is left out for a kind that it does not know', () => {
    expect(entryLine({ at: iso(0), kind: 'something new' })).to.equal(null)
  })

  const DELIVERIES: readonly (readonly [delivery: Readonly<Record<string, unknown>>, line: string | null])[] =
    [
      [{ user_id: 'anna', channel: 'sms', state: 'pending', created_at: iso(0) }, null],
      [{ user_id: 'anna', channel: 'sms', state: 'sending', created_at: iso(0) }, null],
      [
        {
          user_id: 'anna',
          channel: 'sms',
          state: 'sent',
          created_at: iso(0),
          sent_at: iso(50),
          provider_id: 'captured:1',
        },
        '  +0.05 s  anna   sms  sent (captured)',
      ],
      [
        { user_id: 'bob', channel: 'sms', purpose: 'outcome', state: 'sent', created_at: iso(0) },
        '  +0.00 s  bob    sms  outcome  sent',
      ],
      [
        { user_id: 'bob', channel: 'sms', purpose: 'page', state: 'sent', created_at: iso(0) },
        '  +0.00 s  bob    sms  sent',
      ],
      [
        {
          user_id: 'bob',
          channel: 'realtime',
          state: 'delivered',
          created_at: iso(0),
          sent_at: iso(1),
          delivered_at: iso(20),
        },
        '  +0.02 s  bob    realtime  delivered',
      ],
      [
        {
          user_id: null,
          address: 'a…@b.org',
          channel: 'email',
          state: 'dead',
          created_at: iso(0),
          reason: 'provider.refused',
        },
        '  +0.00 s  a…@b.org email  dead (provider.refused)',
      ],
      [
        {
          user_id: 'cem',
          channel: 'voice',
          state: 'cancelled',
          created_at: iso(0),
          reason: 'alert.acknowledged',
        },
        '  +0.00 s  cem    voice  cancelled (alert.acknowledged)',
      ],
    ]
  for (const [delivery, line] of DELIVERIES) {
    it(`for a delivery is ${line === null ? `nothing while it is ${String(delivery['state'])}` : `"${line.trim()}"`}`, () => {
      const shown = deliveryLine(delivery)
      expect(shown && formatLine(shown, START)).to.equal(line)
    })
  }

  it('puts a cancelled delivery where the alert was acknowledged after it', () => {
    const page = { user_id: 'cem', channel: 'realtime', state: 'cancelled', reason: 'acknowledged' }
    const timeline = [1000, 15_000, 40_000].map((at) => ({ at: iso(at), kind: 'acknowledged', by: 'bob' }))
    const shown = deliveryLine({ ...page, created_at: iso(12_000) }, timeline)
    expect(shown && formatLine(shown, START)).to.equal('  +15.0 s  cem    realtime  cancelled (acknowledged)')
  })

  it('never begins before the start', () => {
    expect(formatOffset(-5)).to.equal('+0.00 s')
  })
})

describe('waiting', () => {
  it('ends when an alert is acknowledged or resolved, or when nobody is left', () => {
    expect(alertEnd({ status: 'firing', timeline: [{ kind: 'opened' }] })).to.equal(null)
    expect(alertEnd({ status: 'snoozed', timeline: [] })).to.equal(null)
    expect(alertEnd({ status: 'acknowledged' })).to.equal('answered')
    expect(alertEnd({ status: 'resolved' })).to.equal('answered')
    expect(alertEnd({ status: 'firing', timeline: [{ kind: 'opened' }, { kind: 'finished' }] })).to.equal(
      'unanswered',
    )
    expect(alertEnd({ status: 'firing', timeline: [{ kind: 'finished' }, { kind: 'escalated' }] })).to.equal(
      null,
    )
  })

  it('goes on while a delivery is pending or on its way', () => {
    expect(allDecided([])).to.equal(true)
    expect(allDecided([{ state: 'sent' }, { state: 'dead' }])).to.equal(true)
    expect(allDecided([{ state: 'sent' }, { state: 'sending' }])).to.equal(false)
  })
})
