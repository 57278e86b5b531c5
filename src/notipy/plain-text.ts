const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&nbsp;': ' ',
  '&amp;': '&',
}

/** What HTML says, for readers without it: no tags, a line per block. Takes time in proportion to its length. */
export function plainText(html: string): string {
  return withoutTags(html)
    .replaceAll(/&(?:lt|gt|quot|#39|nbsp|amp);/g, (entity) => ENTITIES[entity] ?? entity)
    .split('\n')
    .map((line) => line.replaceAll(/[ \t\r]+/g, ' ').trim())
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
}

/** Elements whose content nobody reads. */
const UNREAD = /^(?:!--|(?:style|script|head)(?![a-z0-9-]))/
const BLOCKS = /^\/?(?:p|div|br|tr|table|ul|ol|li|h[1-6]|blockquote|hr)(?![a-z0-9])/

/** By hand, because an expression for unclosed tags would look at the rest of the text for each of them. */
function withoutTags(html: string): string {
  // A line break of the source is a blank to whoever reads HTML.
  const source = html.replaceAll('\n', ' ')
  // Only ASCII, so that every place stays where it is.
  const lower = source.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
  let text = ''
  for (let at = 0; at < source.length;) {
    const open = source.indexOf('<', at)
    if (open === -1) return text + source.slice(at)
    text += source.slice(at, open)
    const [unread] = UNREAD.exec(lower.slice(open + 1, open + 12)) ?? []
    const end = unread === undefined ? '>' : unread === '!--' ? '-->' : `</${unread}>`
    const close = lower.indexOf(end, open)
    if (close === -1) return text
    if (BLOCKS.test(lower.slice(open + 1, open + 12))) text += '\n'
    at = close + end.length
  }
  return text
}
