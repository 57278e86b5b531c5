import { expect } from 'chai'
import { specificity } from '../../src/directory/alert-type.ts'
import { namesOf, type KindOfMessage } from '../../src/preferences/names.ts'
import type { Preference } from '../../src/preferences/preference.ts'
import { compilePreferences } from '../../src/preferences/wishes.ts'
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts'
import { row } from './rows.ts'

type Message = KindOfMessage & { readonly customerId?: string }

/** `on` or `off` and the pattern that decided, or null where no row did. */
function email(rows: readonly Preference[], { customerId, ...kind }: Message): string | null {
  const wish = compilePreferences(rows).about(namesOf(kind), customerId).get('email')
  return wish ? `${wish.enabled ? 'on' : 'off'} by ${wish.pattern}` : null
}

describe('which preference decides', () => {
  const paid: Message = { event: 'payment.received' }
  const acme: Message = { ...paid, customerId: 'acme' }
  const chat: Message = { type: 'chat', event: 'message_received' }

  const table: readonly [what: string, rows: readonly string[], message: Message, decided: string | null][] =
    [
      ['nothing where there is no row', [], paid, null],
      ['nothing where no pattern fits', ['-chat.*', '-payment'], paid, null],
      ['a row with the very name', ['-payment.received'], paid, 'off by payment.received'],
      ['a pattern', ['-payment.*'], paid, 'off by payment.*'],
      ['a pattern for the end of the name', ['-*.received'], paid, 'off by *.received'],
      ['a pattern for its ends', ['-pay*ved'], paid, 'off by pay*ved'],
      ['a pattern over everything', ['+*'], paid, 'on by *'],
      [
        'the name before a longer pattern',
        ['-payment.received*', '+payment.received'],
        paid,
        'on by payment.received',
      ],
      ['the longer of two patterns', ['-payment.*', '+pay*'], paid, 'off by payment.*'],
      ['the longer of two patterns, the other way round', ['+pay*', '-payment.*'], paid, 'off by payment.*'],
      ['any pattern before the one over everything', ['-pay*', '+*'], paid, 'off by pay*'],
      ['the last of two of the same length', ['-pay*', '+*ved'], paid, 'on by *ved'],
      ['the last of two of the same length, the other way round', ['+*ved', '-pay*'], paid, 'off by pay*'],
      ['a row for the customer before one for all', ['-*@acme', '+payment.received'], acme, 'off by *'],
      ['the longest of those for the customer', ['-*@acme', '+pay*@acme'], acme, 'on by pay*'],
      ['a row for all where none is for the customer', ['-payment.received@other', '+*'], acme, 'on by *'],
      ['no row for a customer where the message names none', ['-payment.received@acme'], paid, null],
      ['the event before the type', ['-chat', '+message_received'], chat, 'on by message_received'],
      ['no row about the type alone where there is an event', ['-chat'], chat, null],
      ['the type where there is no event', ['-chat'], { type: 'chat' }, 'off by chat'],
      ['the type before the category', ['-crm'], { type: 'task', category: 'crm' }, null],
      ['the category where there is nothing else', ['-crm'], { category: 'crm' }, 'off by crm'],
      ['the category beside the default type', ['-crm'], { type: 'info', category: 'crm' }, 'off by crm'],
      ['the event within its type', ['-chat.message_received'], chat, 'off by chat.message_received'],
      ['every event of a type', ['-chat.*'], chat, 'off by chat.*'],
      ['every event of a category', ['-mail.*'], { category: 'mail', event: 'new_message' }, 'off by mail.*'],
      ['every type of a category', ['-mail.*'], { category: 'mail', type: 'letter' }, 'off by mail.*'],
      [
        'what has no finer name by the pattern below it',
        ['-payment.*'],
        { type: 'payment' },
        'off by payment.*',
      ],
      ['the same by a pattern of two stars', ['-*ment.*'], { type: 'payment' }, 'off by *ment.*'],
      [
        'the event within its type before the event',
        ['+chat.message_received', '-message_received'],
        chat,
        'on by chat.message_received',
      ],
      ['nothing in other capital letters', ['-Payment.*'], paid, null],
      ['nothing that reads a dot as any sign', ['-paymentxreceived', '-payment.r?ceived'], paid, null],
      ['a pattern over everything, of a message that says nothing', ['-*'], {}, 'off by *'],
      ['a row about the default type', ['-info'], {}, 'off by info'],
    ]
  for (const [what, rows, message, decided] of table) {
    it(`is ${what} (C17, X34)`, () => {
      expect(email(rows.map(row), message)).to.equal(decided)
    })
  }

  it('is looked for per channel (C17)', () => {
    const rows = ['-payment.*', '+payment.received:sms'].map(row)
    const wishes = compilePreferences(rows).about(['payment.received'])
    expect(Object.fromEntries(wishes)).to.deep.equal({
      email: { enabled: false, pattern: 'payment.*' },
      sms: { enabled: true, pattern: 'payment.received' },
    })
  })

  describe('among many rows', () => {
    const PATTERNS = ['*', 'a*', '*b', 'a.*', '*.b', 'a.b', 'a.b*', 'a', 'b', 'a.b.c', 'a.*.c', '*.*', 'b.*']
    const NAMES = PATTERNS.filter((name) => !name.includes('*'))
    const MESSAGES: readonly Message[] = NAMES.flatMap((name) => [
      { event: name },
      { event: name, customerId: 'acme' },
      { type: name },
      { category: name, customerId: 'acme' },
      { type: 'a', event: name },
    ])
    const someRows = (random: SeededRandom): Preference[] =>
      Array.from({ length: 1 + random.below(30) }, () => ({
        eventType: random.pick(PATTERNS),
        channel: random.pick(['email', 'sms', 'realtime'] as const),
        enabled: random.chance(0.5),
        customerId: random.pick([null, null, 'acme', 'other']),
      }))
    const answers = (rows: readonly Preference[]) => {
      const compiled = compilePreferences(rows)
      return MESSAGES.map(({ customerId, ...kind }) =>
        Object.fromEntries(compiled.about(namesOf(kind), customerId)),
      )
    }
    /** Equal for rows that nothing but the order of writing tells apart. */
    const tie = ({ eventType, channel, customerId }: Preference) =>
      JSON.stringify([channel, customerId, specificity(eventType) === Infinity, eventType.length])

    it('does not depend on their order, but among those of one rank (X34)', () => {
      for (let seed = 1; seed <= 300; seed++) {
        const random = seededRandom(seed)
        const once = new Set<string>()
        const rows = someRows(random).filter((each) => !once.has(tie(each)) && once.add(tie(each)))
        const shuffled = rows
          .map((each) => ({ each, at: random.next() }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ each }) => each)
        expect(answers(shuffled), `seed ${seed}`).to.deep.equal(answers(rows))
      }
    })

    it('is not changed by a less specific row that is added (X34)', () => {
      let compared = 0
      for (let seed = 1; seed <= 300; seed++) {
        const rows = someRows(seededRandom(seed))
        const added = answers([...rows, row('-*'), row('+*')])
        for (const [index, { email: before }] of answers(rows).entries()) {
          if (before === undefined || before.pattern === '*') continue
          expect(added[index]?.['email'], `seed ${seed}`).to.deep.equal(before)
          compared += 1
        }
      }
      expect(compared).to.be.greaterThan(1000)
    })
  })
})
