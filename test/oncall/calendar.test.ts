import { expect } from 'chai'
import { readLines } from '../../src/oncall/calendar/content-line.ts'
import { readCalendar } from '../../src/oncall/calendar/read-calendar.ts'
import { writeCalendar } from '../../src/oncall/calendar/write-calendar.ts'
import type { Schedule } from '../../src/oncall/schedule.ts'
import { shifts } from '../../src/oncall/shifts.ts'

const at = (iso: string) => Date.parse(iso)
const iso = (instant: number) => new Date(instant).toISOString().slice(0, 16)
const BERLIN = 'Europe/Berlin'
const PEOPLE = [
  { id: 'anna', name: 'Anna K.', email: 'anna@example.org' },
  { id: 'bob', name: 'Bob' },
  { id: 'lee', name: 'Lee, J; "Bruce" \\o/ 李小龙李小龙李小龙李小龙李小龙李小龙李小龙' },
  { id: 'twin1', name: 'Twin' },
  { id: 'twin2', name: 'twin' },
]

const calendar = (...events: readonly (readonly string[])[]) =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:test',
    ...events.flatMap((lines) => ['BEGIN:VEVENT', 'UID:1', ...lines, 'END:VEVENT']),
    'END:VCALENDAR',
    '',
  ].join('\r\n')

function read(text: string) {
  const found = readCalendar(text, BERLIN, PEOPLE)
  if (!found.ok) throw new Error(JSON.stringify(found.faults))
  return found.events
}

function text(source: string, from: string, to: string) {
  const schedule: Schedule = { timezone: BERLIN, layers: [], overrides: [], calendar: read(source) }
  return shifts(schedule, at(from), at(to)).map(
    (shift) => `${shift.user} ${iso(shift.from)} ${iso(shift.to)}`,
  )
}

describe('a calendar that is read (E22, E24)', () => {
  it('gives the duty to users whom the summary names by id or name, or attendees by address', () => {
    const when = ['DTSTART:20260105T080000Z', 'DTEND:20260105T090000Z']
    const users = (...lines: readonly string[]) => read(calendar([...when, ...lines])).map(({ user }) => user)
    expect(users('SUMMARY:anna')).to.deep.equal(['anna'])
    expect(users('SUMMARY: bob ')).to.deep.equal(['bob'])
    expect(users('SUMMARY:ANNA k.')).to.deep.equal(['anna'])
    expect(users('SUMMARY:anna\\, Bob')).to.deep.equal(['anna', 'bob'])
    expect(users('SUMMARY:Duty', 'ATTENDEE;CN="K.; Anna";ROLE=CHAIR:MAILTO:Anna@example.org')).to.deep.equal([
      'anna',
    ])
    expect(users('STATUS:CANCELLED', 'SUMMARY:nobody')).to.deep.equal([])
  })

  it('repeats daily and weekly by the wall clock of its zone, with interval, days, end and exceptions', () => {
    const daily = calendar([
      'DTSTART;TZID=Europe/Berlin:20260327T090000',
      'DTEND;TZID=Europe/Berlin:20260328T090000',
      'RRULE:FREQ=DAILY;INTERVAL=2;COUNT=3',
      'SUMMARY:anna',
    ])
    expect(text(daily, '2026-01-01T00:00Z', '2027-01-01T00:00Z')).to.deep.equal([
      'anna 2026-03-27T08:00 2026-03-28T08:00',
      'anna 2026-03-29T07:00 2026-03-30T07:00',
      'anna 2026-03-31T07:00 2026-04-01T07:00',
    ])
    const weekly = calendar([
      'DTSTART:20260107T090000',
      'DURATION:PT8H',
      'RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20260204T080000Z',
      'EXDATE:20260119T090000',
      'SUMMARY:bob',
    ])
    expect(text(weekly, '2026-01-01T00:00Z', '2027-01-01T00:00Z')).to.deep.equal([
      'bob 2026-01-07T08:00 2026-01-07T16:00',
      'bob 2026-01-21T08:00 2026-01-21T16:00',
      'bob 2026-02-02T08:00 2026-02-02T16:00',
      'bob 2026-02-04T08:00 2026-02-04T16:00',
    ])
  })

  it('takes whole days, and a week from Sunday on where the rule says so', () => {
    const source = calendar([
      'DTSTART;VALUE=DATE:20260104',
      'RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU;UNTIL=20260119',
      'SUMMARY:anna',
    ])
    expect(text(source, '2026-01-01T00:00Z', '2026-02-10T00:00Z')).to.deep.equal([
      'anna 2026-01-03T23:00 2026-01-05T23:00',
      'anna 2026-01-17T23:00 2026-01-19T23:00',
    ])
  })

  it('without end costs the same however far it is looked into', () => {
    const endless = calendar([
      'DTSTART:20200106T090000',
      'DTEND:20200113T090000',
      'RRULE:FREQ=WEEKLY;INTERVAL=2',
      'SUMMARY:anna',
    ])
    expect(text(endless, '2035-06-01T00:00Z', '2035-06-20T00:00Z')).to.deep.equal([
      'anna 2035-06-04T07:00 2035-06-11T07:00',
      'anna 2035-06-18T07:00 2035-06-20T00:00',
    ])
  })

  const when = ['DTSTART:20260105T080000Z', 'DTEND:20260105T090000Z']
  const faults: readonly [title: string, lines: readonly string[], line: number, message: RegExp][] = [
    ['an unknown person', [...when, 'SUMMARY:zoe'], 8, /"zoe" is no user's id or name/],
    ['a name of two people', [...when, 'SUMMARY:Twin'], 8, /"Twin" is no user/],
    ['nobody', when, 4, /neither ATTENDEE nor SUMMARY/],
    ['a monthly rule', [...when, 'RRULE:FREQ=MONTHLY', 'SUMMARY:anna'], 8, /FREQ=MONTHLY is not supported/],
    ['an unknown part', [...when, 'RRULE:FREQ=DAILY;BYHOUR=3', 'SUMMARY:anna'], 8, /BYHOUR is not supported/],
    ['a day that is none', [...when, 'RRULE:FREQ=WEEKLY;BYDAY=1MO', 'SUMMARY:anna'], 8, /BYDAY is a list/],
    ['a start off its days', [...when, 'RRULE:FREQ=WEEKLY;BYDAY=TU', 'SUMMARY:anna'], 8, /begins on a day/],
    ['an interval of nothing', [...when, 'RRULE:FREQ=DAILY;INTERVAL=0', 'SUMMARY:anna'], 8, /whole numbers/],
    ['a moved repetition', [...when, 'RECURRENCE-ID:20260105T080000Z', 'SUMMARY:anna'], 8, /RECURRENCE-ID/],
    [
      'a time that is none',
      ['DTSTART:20260231T080000Z', 'DURATION:PT1H', 'SUMMARY:anna'],
      6,
      /no date or time/,
    ],
    [
      'an unknown zone',
      ['DTSTART;TZID=Mars/Olympus:20260101T080000', 'DURATION:PT1H', 'SUMMARY:anna'],
      6,
      /Mars/,
    ],
    [
      'an end before its start',
      [
        when[1]?.replace('DTEND', 'DTSTART') ?? '',
        when[0]?.replace('DTSTART', 'DTEND') ?? '',
        'SUMMARY:anna',
      ],
      7,
      /after DTSTART/,
    ],
    ['no end', ['DTSTART:20260105T080000Z', 'SUMMARY:anna'], 6, /neither DTEND nor DURATION/],
    [
      'a repetition within itself',
      ['DTSTART:20260105T080000Z', 'DURATION:PT25H', 'RRULE:FREQ=DAILY', 'SUMMARY:anna'],
      8,
      /before it has ended/,
    ],
    ['a line that is none', [...when, 'SUMMARY:anna', 'nonsense'], 9, /no property/],
  ]
  for (const [title, lines, line, message] of faults) {
    it(`is refused with the line for ${title}`, () => {
      const found = readCalendar(calendar(lines), BERLIN, PEOPLE)
      if (found.ok) throw new Error('was taken')
      expect(found.faults.map((fault) => fault.line)).to.deep.equal([line])
      expect(found.faults[0]?.message).to.match(message)
    })
  }

  it('is refused when it is no calendar, whatever it is', () => {
    for (const other of ['', '{}', '<html>', 'BEGIN:VCARD\r\nEND:VCARD'])
      expect(readCalendar(other, BERLIN, PEOPLE).ok, other).to.equal(false)
  })
})

describe('a calendar that is written', () => {
  const parts = {
    tenant: 'default',
    team: 'a; team, "x"',
    shifts: [
      { user: 'lee', from: at('2026-03-29T00:30Z'), to: at('2026-03-30T07:00Z') },
      { user: 'anna', from: at('2026-03-30T07:00Z'), to: at('2026-04-01T07:00Z') },
    ],
    nameOf: (id: string) => PEOPLE.find((person) => person.id === id)?.name ?? id,
    now: at('2026-01-05T12:00Z'),
  }
  const written = writeCalendar(parts)

  it('reads back as the same shifts of the same people', () => {
    const found = text(written, '2026-01-01T00:00Z', '2027-01-01T00:00Z')
    expect(found).to.deep.equal([
      'lee 2026-03-29T00:30 2026-03-30T07:00',
      'anna 2026-03-30T07:00 2026-04-01T07:00',
    ])
  })

  it('keeps to RFC 5545: CRLF, 75 octets a line, no broken character, what an event must have', () => {
    expect(written.endsWith('END:VCALENDAR\r\n')).to.equal(true)
    const lines = written.split('\r\n')
    for (const line of lines) {
      expect(Buffer.byteLength(line), line).to.be.at.most(75)
      expect(line).to.not.match(/[\r\n\uFFFD]/)
    }
    const properties = readLines(written).map((line) => ('broken' in line ? 'broken' : line.name))
    expect(properties).to.not.include('broken')
    for (const name of ['UID', 'DTSTAMP', 'DTSTART', 'DTEND', 'SUMMARY'])
      expect(
        properties.filter((property) => property === name),
        name,
      ).to.have.length(2)
    expect(properties.slice(0, 3)).to.deep.equal(['BEGIN', 'VERSION', 'PRODID'])
    expect(written).to.include('DTSTART:20260329T003000Z\r\nDTEND:20260330T070000Z')
    expect(written).to.include('X-WR-CALNAME:On call: a\\; team\\, "x"')
  })

  it('gives a shift the same UID whenever it is written, and however late it ends', () => {
    const uids = (source: string) => source.match(/UID:.+/g)
    const later = writeCalendar({
      ...parts,
      now: parts.now + 5,
      shifts: parts.shifts.map((shift) => ({ ...shift, to: shift.to + 60_000 })),
    })
    expect(uids(later)).to.deep.equal(uids(written))
    expect(new Set(uids(written))).to.have.property('size', 2)
  })
})
