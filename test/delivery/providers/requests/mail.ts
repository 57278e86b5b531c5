/** What standards say about the header of a mail: how often a field comes, and in which form. */
const FIELDS: readonly (readonly [name: string, most: 0 | 1, form: RegExp, source: string])[] = [
  ['from', 1, /^(?:[^<>\r\n]*<[^\s<>]+@[^\s<>]+>|[^\s<>]+@[^\s<>]+)$/, 'RFC 5322 section 3.6.2'],
  ['to', 1, /^[^\s<>,]+@[^\s<>,]+$/, 'RFC 5322 section 3.6.3'],
  ['message-id', 1, /^<[A-Za-z0-9._-]+@[A-Za-z0-9.-]+>$/, 'RFC 5322 section 3.6.4'],
  [
    'date',
    1,
    /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}$/,
    'RFC 5322 section 3.6.1',
  ],
  ['subject', 1, /^[\x20-\x7e]*$/, 'RFC 5322 section 3.6.5, RFC 2047'],
  ['mime-version', 1, /^1\.0$/, 'RFC 2045 section 4'],
  ['content-type', 1, /^(?:text\/(?:plain|html)|multipart\/\w+)(?:;|$)/, 'RFC 2045 section 5'],
  // No vacation program answers, and no loop begins.
  ['auto-submitted', 1, /^auto-generated$/, 'RFC 3834 section 5'],
  ['cc', 0, /./, 'one mailbox per message'],
  ['bcc', 0, /./, 'one mailbox per message'],
  ['reply-to', 0, /./, 'one mailbox per message'],
]
const KNOWN = new Set([
  ...FIELDS.map(([name]) => name),
  'x-carillon-delivery',
  'x-priority',
  'x-msmail-priority',
  'importance',
  'content-transfer-encoding',
])
/** Octets of a line without its end (RFC 5322 section 2.1.1). */
const LONGEST_LINE = 998

/** Everything in which a mail, as a server took it, differs from the standards and from what we send. */
export function mailFaults(raw: string): string[] {
  const end = raw.indexOf('\r\n\r\n')
  const fields = raw
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
  const valuesOf = (name: string) => fields.filter(([key]) => key === name).map(([, value = '']) => value)
  return [
    ...FIELDS.flatMap(([name, most, form, source]) => {
      const values = valuesOf(name)
      const fits = values.length === most && values.every((value) => form.test(value))
      return fits ? [] : [`${name}: ${values.join(' | ') || 'is missing'} (${source})`]
    }),
    ...fields.filter(([name = '']) => !KNOWN.has(name)).map(([name]) => `${name}: is unknown`),
    ...(raw.split('\r\n').some((line) => Buffer.byteLength(line) > LONGEST_LINE)
      ? ['a line is too long']
      : []),
    ...(/[^\r]\n|\r[^\n]/.test(raw) ? ['a line ends otherwise than in CRLF'] : []),
    ...(/\P{ASCII}|\0/u.test(raw.slice(0, end)) ? ['the header is not ASCII'] : []),
  ]
}
