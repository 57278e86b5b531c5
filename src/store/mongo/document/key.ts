import { createHash } from 'node:crypto'

/** What fits into an index of every server (those before 4.2 refuse more than a kilobyte). */
const LONGEST = 200

/** One text that stands for these parts and no others; what is long is its hash. */
export function keyOf(...parts: readonly string[]): string {
  const key = parts.map((part) => part.replaceAll(/[\\|]/g, String.raw`\$&`)).join('|')
  return key.length <= LONGEST ? key : `#${createHash('sha256').update(key).digest('base64url')}`
}

/** 0 to 63, the same for the same id (FNV-1a over UTF-16 units). */
export function slotOf(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return (hash ^ (hash >>> 16)) & 63
}
