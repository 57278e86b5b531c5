import { createHash } from 'node:crypto'

const LONGEST_ID = 120

/** A delivery's id for headers. Ids may contain what publishers chose (payload `id`); two different ones never become the same. */
export function headerSafeId(id: string): string {
  const escaped = Array.from(id, (character) =>
    /[A-Za-z0-9.-]/.test(character) ? character : `_${character.codePointAt(0)?.toString(16)}_`,
  ).join('')
  return escaped.length <= LONGEST_ID ? escaped : createHash('sha256').update(id).digest('hex')
}
