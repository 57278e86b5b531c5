import { expect } from 'chai'
import {
  CODE_MS,
  codeMessage,
  digestOf,
  newCode,
  newLinkCode,
  recentCodes,
  tryCode,
  waitForCode,
  type PendingCode,
} from '../../src/contact/code.ts'

const NOW = Date.UTC(2026, 0, 5, 12)
const MINUTE = 60_000
const pending = (changes: Partial<PendingCode> = {}): PendingCode => ({
  digest: digestOf('271828'),
  expiresAt: NOW + CODE_MS,
  tries: 0,
  messageId: 'm1',
  ...changes,
})

describe('A code that verifies an address (E20)', () => {
  const rows: readonly [title: string, PendingCode | null, given: string, now: number, outcome: object][] = [
    ['right', pending(), '271828', NOW, { kind: 'right' }],
    ['right in the last millisecond', pending(), '271828', NOW + CODE_MS - 1, { kind: 'right' }],
    ['right with one try left', pending({ tries: 4 }), '271828', NOW, { kind: 'right' }],
    [
      'wrong for the first time',
      pending(),
      '271829',
      NOW,
      { kind: 'wrong', pending: pending({ tries: 1 }), triesLeft: 4 },
    ],
    [
      'wrong for the last time',
      pending({ tries: 4 }),
      '',
      NOW,
      { kind: 'wrong', pending: pending({ tries: 5 }), triesLeft: 0 },
    ],
    ['none after five tries, though it is right', pending({ tries: 5 }), '271828', NOW, { kind: 'none' }],
    ['none when it has expired', pending(), '271828', NOW + CODE_MS, { kind: 'none' }],
    ['none when there is none', null, '271828', NOW, { kind: 'none' }],
    ['none when there is none, and an empty one is given', null, '', NOW, { kind: 'none' }],
  ]
  for (const [title, known, given, now, outcome] of rows)
    it(`is ${title}`, () => expect(tryCode(known, given, now)).to.deep.equal(outcome))

  const sent = (...minutesAgo: readonly number[]) =>
    minutesAgo.map((minutes) => ({ at: NOW - minutes * MINUTE, to: null }))
  const limits: readonly [title: string, ReturnType<typeof sent>, waitMs: number][] = [
    ['at once at first', [], 0],
    ['at once after two', sent(0, 1), 0],
    ['when the first of three is 15 minutes old', sent(0, 1, 14), MINUTE],
    ['when the third last of four is, in whatever order', sent(14, 0, 5, 1), 10 * MINUTE],
    ['at once when the first of three is', sent(0, 1, 15), 0],
  ]
  for (const [title, codes, waitMs] of limits)
    it(`is sent ${title}`, () => expect(waitForCode(codes, NOW)).to.equal(waitMs))

  it('is forgotten as a sent one after 15 minutes', () =>
    expect(recentCodes(sent(16, 15, 14), NOW)).to.deep.equal(sent(14)))

  it('has six digits, a link as much as nobody guesses and Telegram takes', () => {
    for (let made = 0; made < 200; made++) expect(newCode()).to.match(/^[0-9]{6}$/)
    expect(newLinkCode()).to.match(/^[A-Za-z0-9_-]{32}$/)
    expect(newLinkCode()).to.not.equal(newLinkCode())
  })

  it('is read out digit by digit and twice, and stands in no subject', () => {
    expect(codeMessage('voice', '012345').text).to.equal(
      'Your code for Carillon is 0, 1, 2, 3, 4, 5. Once more: 0, 1, 2, 3, 4, 5.',
    )
    for (const channel of ['email', 'sms', 'telegram']) {
      const { subject, text } = codeMessage(channel, '012345')
      expect(text).to.include('012345')
      expect(subject).to.not.match(/[0-9]/)
    }
  })
})
