const LINE_OCTETS = 75

/** One property of an iCalendar object (RFC 5545, section 3.1). */
export interface ContentLine {
  /** In upper case. */
  readonly name: string
  /** Names in upper case; quotes are gone. */
  readonly params: ReadonlyMap<string, string>
  /** As written: escapes are the reader's, because only texts have them. */
  readonly value: string
  /** Of the file, counted from 1. */
  readonly line: number
}

/** Joins folded lines and takes them apart; null stands for a line that is none, with its number. */
export function readLines(text: string): readonly (ContentLine | { readonly broken: number })[] {
  const joined: { text: string; line: number }[] = []
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const last = joined.at(-1)
    if (/^[ \t]/.test(raw) && last !== undefined) last.text += raw.slice(1)
    else if (raw !== '') joined.push({ text: raw, line: index + 1 })
  }
  return joined.map(({ text: whole, line }) => parseLine(whole, line) ?? { broken: line })
}

function parseLine(text: string, line: number): ContentLine | null {
  const [, name] = /^([A-Za-z0-9-]+)(?=[;:])/.exec(text) ?? []
  if (name === undefined) return null
  const params = new Map<string, string>()
  let rest = text.slice(name.length)
  while (rest.startsWith(';')) {
    const [all, key, quoted, bare] =
      /^;([A-Za-z0-9-]+)=(?:"([^"]*)"|([^";:]*))(?:,(?:"[^"]*"|[^";:]*))*/.exec(rest) ?? []
    if (all === undefined || key === undefined) return null
    params.set(key.toUpperCase(), quoted ?? bare ?? '')
    rest = rest.slice(all.length)
  }
  return rest.startsWith(':') ? { name: name.toUpperCase(), params, value: rest.slice(1), line } : null
}

/** A property whose value is a text, escaped, and folded at 75 octets, never within a character. */
export function textLine(name: string, text: string): string {
  return foldLine(`${name}:${escapeText(text)}`)
}

/** What a text value stands for (RFC 5545, section 3.3.11). */
export function unescapeText(value: string): string {
  return value.replace(/\\([\\;,nN])/g, (_, char: string) => (/n/i.test(char) ? '\n' : char))
}

function escapeText(text: string): string {
  return text
    .replace(/[\\;,]/g, (char) => `\\${char}`)
    .replace(/\r\n|\r|\n/g, '\\n')
    .replace(/\p{Cc}/gu, ' ')
}

function foldLine(line: string): string {
  const lines: string[] = ['']
  let octets = 0
  for (const char of line) {
    const size = Buffer.byteLength(char)
    if (octets + size > LINE_OCTETS) {
      lines.push(' ')
      octets = 1
    }
    lines[lines.length - 1] += char
    octets += size
  }
  return lines.join('\r\n')
}
