import { LONGEST_TOPIC_BYTES, MOST_LEVELS } from '../access/topic-filter.ts'

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
  if (topic.length * 3 > LONGEST_TOPIC_BYTES && Buffer.byteLength(topic) > LONGEST_TOPIC_BYTES)
    return `the topic is longer than ${LONGEST_TOPIC_BYTES} bytes`
  let levels = 1
  for (let index = 0; index < topic.length; index++) if (topic.charCodeAt(index) === 0x2f) levels++
  return levels > MOST_LEVELS ? `the topic has more than ${MOST_LEVELS} levels` : null
}
