import { expect } from 'chai'
import { sendAtMs } from '../../controllers/fields.ts'

const NOW = Date.UTC(2026, 0, 5, 12)
const DAY = 24 * 3600

describe('send_at', () => {
  const good: readonly [title: string, value: number | string, at: number][] = [
    ['seconds', NOW / 1000 + 60, NOW + 60_000],
    ['fractions of seconds', NOW / 1000 + 0.25, NOW + 250],
    ['RFC 3339', '2026-01-05T13:00:00Z', NOW + 3_600_000],
    ['RFC 3339 with an offset', '2026-01-05T14:00:00.500+01:00', NOW + 3_600_500],
    ['now', NOW / 1000, NOW],
    ['an hour ago', NOW / 1000 - 3600, NOW - 3_600_000],
    ['a day ago', NOW / 1000 - DAY, NOW - DAY * 1000],
    ['a year ahead', NOW / 1000 + 366 * DAY, NOW + 366 * DAY * 1000],
  ]
  for (const [title, value, at] of good)
    it(`takes ${title} (R24)`, () => expect(sendAtMs(value, NOW)).to.equal(at))

  const neither = 'send_at is neither seconds since 1970 nor an RFC 3339 time'
  const ahead = 'send_at is more than a year ahead; a number counts seconds'
  const bad: readonly [title: string, value: number | string, message: string][] = [
    ['nothing', '', neither],
    ['words', 'tomorrow', neither],
    ['NaN as a text', 'NaN', neither],
    ['NaN', Number.NaN, neither],
    ['a bare number as a text', '1', neither],
    ['seconds as a text', String(NOW / 1000), neither],
    ['a thirteenth month', '2026-13-01T00:00:00Z', neither],
    ['milliseconds', NOW + 60_000, ahead],
    ['infinity', Infinity, ahead],
    ['more than a year ahead', NOW / 1000 + 366 * DAY + 1, ahead],
    ['the beginning of time', 0, 'send_at is more than a day ago'],
    ['a negative number', -1, 'send_at is more than a day ago'],
    ['more than a day ago', NOW / 1000 - DAY - 1, 'send_at is more than a day ago'],
  ]
  for (const [title, value, message] of bad)
    it(`refuses ${title} and says why (R24)`, () =>
      expect(() => sendAtMs(value, NOW))
        .to.throw(message)
        .with.property('code', 'publish.invalid_body'))
})
