import Type from 'typebox'
import { fault } from '../errors.ts'

const RFC3339 = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+ -]\d{2}:\d{2})?)?$/i
/** Numbers above this are milliseconds, below it seconds; it stands for 1973 in one and 5138 in the other. */
const SECONDS_END = 100_000_000_000

/** What {@link parseInstant} reads, as far as a pattern can say it. */
export function InstantText(description: string) {
  return Type.String({
    maxLength: 64,
    pattern: INSTANT,
    description,
    examples: ['2026-01-05T12:00:00Z'],
  })
}

const INSTANT =
  '^(|\\d{1,15}(\\.\\d+)?|\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])([Tt ]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?([Zz]|[+ -]([01]\\d|2[0-3]):[0-5]\\d)?)?)$'

/**
 * An instant of a query string: RFC 3339 (without a zone it is UTC) or epoch seconds or milliseconds. Null when absent;
 * throws `request.invalid` for anything else.
 */
export function parseInstant(field: string, text: string | undefined): number | null {
  if (text === undefined || text === '') return null
  if (/^\d{1,15}(\.\d+)?$/.test(text)) {
    const number = Number(text)
    return Math.floor(number < SECONDS_END ? number * 1000 : number)
  }
  // A `+` of a query string that nobody escaped arrives as a blank.
  const plain = text
    .replace(/ (?=\d{2}:\d{2}$)/, (blank) => (/T.* /i.test(text) ? '+' : blank))
    .replace(' ', 'T')
  const zoned = /(Z|[+-]\d{2}:\d{2})$/i.test(plain.slice(10)) || plain.length <= 10 ? plain : `${plain}Z`
  const at = RFC3339.test(text) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(at)) {
    throw fault('request.invalid', `querystring/${field} must be an RFC 3339 instant`, { field, in: 'query' })
  }
  return at
}
