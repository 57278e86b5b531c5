/**
 * MQTT 3.1.1 topic filters (section 4.7): matching a topic, and whether one filter says no more than another.
 * Asked for every forwarded message, therefore without splitting into arrays.
 */

const SLASH = 0x2f
const HASH = 0x23
const PLUS = 0x2b
const DOLLAR = 0x24

/** The longest topic or filter in UTF-8 bytes, and its most levels (security row 13). */
export const LONGEST_TOPIC_BYTES = 512
export const MOST_LEVELS = 16

/**
 * Whether the filter matches the topic: `+` is one level, `#` the rest and also its parent level, and a filter that
 * begins with a wildcard matches no topic that begins with `$`. Both are taken to be valid.
 */
export function matchFilter(filter: string, topic: string): boolean {
  if (topic.charCodeAt(0) === DOLLAR && beginsWithWildcard(filter)) return false
  let f = 0
  let t = 0
  for (;;) {
    if (isRest(filter, f)) return true
    const fEnd = levelEnd(filter, f)
    const tEnd = levelEnd(topic, t)
    if (!isOne(filter, f, fEnd) && !sameLevel(filter, f, fEnd, topic, t, tEnd)) return false
    const filterEnds = fEnd === filter.length
    if (tEnd === topic.length) return filterEnds || isRest(filter, fEnd + 1)
    if (filterEnds) return false
    f = fEnd + 1
    t = tEnd + 1
  }
}

/**
 * Whether every topic that `filter` can match is matched by `grant` (security rows 6 and 7). Errs on the side of no:
 * an invalid filter or grant and `$share/…` are never covered, and `+/#` is not recognised as another spelling of `#`.
 */
export function filterCovers(grant: string, filter: string): boolean {
  if (!validFilter(grant) || !validFilter(filter) || filter.startsWith('$share/')) return false
  if (filter.charCodeAt(0) === DOLLAR && beginsWithWildcard(grant)) return false
  let g = 0
  let f = 0
  for (;;) {
    if (isRest(grant, g)) return true
    if (isRest(filter, f)) return false
    const gEnd = levelEnd(grant, g)
    const fEnd = levelEnd(filter, f)
    if (!isOne(grant, g, gEnd) && !sameLevel(grant, g, gEnd, filter, f, fEnd)) return false
    const grantEnds = gEnd === grant.length
    if (fEnd === filter.length) return grantEnds || isRest(grant, gEnd + 1)
    if (grantEnds) return false
    g = gEnd + 1
    f = fEnd + 1
  }
}

/** Whether this may be subscribed to at all: wildcards fill their level, `#` comes last, no control characters, not too long. */
export function validFilter(filter: string): boolean {
  if (!wellFormed(filter)) return false
  for (let at = 0; at < filter.length; at++) {
    const code = filter.charCodeAt(at)
    if (code !== HASH && code !== PLUS) continue
    if (at > 0 && filter.charCodeAt(at - 1) !== SLASH) return false
    const last = at === filter.length - 1
    if (code === HASH ? !last : !last && filter.charCodeAt(at + 1) !== SLASH) return false
  }
  return true
}

/** Whether this may be published to at all: no wildcards, no control characters, not too long. */
export function validTopic(topic: string): boolean {
  return wellFormed(topic) && !topic.includes('#') && !topic.includes('+')
}

/** Whether an id may stand for one level of a topic without meaning anything else there (security row 6). */
export function literalLevel(id: string): boolean {
  return validTopic(id) && !id.includes('/') && !id.includes('$')
}

function wellFormed(text: string): boolean {
  if (text === '' || text.length > LONGEST_TOPIC_BYTES) return false
  let levels = 1
  let bytes = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false
    if (code === SLASH) levels++
    // A surrogate pair is four bytes of UTF-8, two for each half.
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3
  }
  return levels <= MOST_LEVELS && bytes <= LONGEST_TOPIC_BYTES
}

function levelEnd(text: string, from: number): number {
  const end = text.indexOf('/', from)
  return end === -1 ? text.length : end
}

function beginsWithWildcard(filter: string): boolean {
  const first = filter.charCodeAt(0)
  return first === HASH || first === PLUS
}

/** Whether the last level, and it is `#`, begins here. */
function isRest(filter: string, at: number): boolean {
  return at === filter.length - 1 && filter.charCodeAt(at) === HASH
}

function isOne(filter: string, from: number, end: number): boolean {
  return end === from + 1 && filter.charCodeAt(from) === PLUS
}

function sameLevel(a: string, aFrom: number, aEnd: number, b: string, bFrom: number, bEnd: number): boolean {
  if (aEnd - aFrom !== bEnd - bFrom) return false
  for (let i = 0; aFrom + i < aEnd; i++) {
    if (a.charCodeAt(aFrom + i) !== b.charCodeAt(bFrom + i)) return false
  }
  return true
}

/** First levels that are the broker's own; any other name below `$` is an ordinary topic that wildcards do not find. */
const RESERVED = new Set(['$SYS', '$share', '$queue', '$consumed', '$session'])

/** Whether a topic or filter belongs to the broker, so that nobody may publish or subscribe to it. */
export function isReserved(topic: string): boolean {
  if (!topic.startsWith('$')) return false
  const end = topic.indexOf('/')
  return RESERVED.has(end === -1 ? topic : topic.slice(0, end))
}
