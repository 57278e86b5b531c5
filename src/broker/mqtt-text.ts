/** The longest topic or filter in UTF-8 bytes, and its most levels (security row 13). */
export const MAX_TOPIC_BYTES = 512
export const MAX_TOPIC_LEVELS = 16

/** What a decoder leaves where the bytes were not UTF-8. */
const REPLACEMENT = 0xfffd

/**
 * Whether a string from the wire may be used as a topic, a filter or a client id: no control characters (MQTT 3.1.1
 * section 1.5.3 forbids NUL and advises against the others) and no trace of invalid UTF-8 (security row 14).
 */
export function isCleanText(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || code === REPLACEMENT) return false
  }
  return true
}

/** Why a topic or filter cannot be taken at all, or null. */
export function topicFault(topic: string): string | null {
  if (topic === '') return 'the topic is empty'
  if (!isCleanText(topic)) return 'the topic has control characters or is not UTF-8'
  // Three bytes are the most that one UTF-16 unit takes.
  if (topic.length * 3 > MAX_TOPIC_BYTES && Buffer.byteLength(topic) > MAX_TOPIC_BYTES)
    return `the topic is longer than ${MAX_TOPIC_BYTES} bytes`
  let levels = 1
  for (let index = 0; index < topic.length; index++) if (topic.charCodeAt(index) === 0x2f) levels++
  return levels > MAX_TOPIC_LEVELS ? `the topic has more than ${MAX_TOPIC_LEVELS} levels` : null
}

/** Whether an MQTT filter takes a topic (MQTT 3.1.1 section 4.7). */
export function filterTakes(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && !filter.startsWith('$')) return false
  const wants = filter.split('/')
  const has = topic.split('/')
  for (const [index, want] of wants.entries()) {
    if (want === '#') return true
    const level = has[index]
    if (level === undefined || (want !== '+' && want !== level)) return false
  }
  return wants.length === has.length
}
