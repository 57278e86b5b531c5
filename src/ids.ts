import { randomFillSync, randomInt } from 'node:crypto'

/** Makes identifiers. Injected, so that a simulation can repeat a run. */
export interface Ids {
  /** A UUID version 7 (RFC 9562): sorts by `now`, and within one millisecond by the order of the calls. */
  next(now: number): string
}

const HEX = Array.from({ length: 4096 }, (_, value) => value.toString(16).padStart(3, '0'))
const POOL_BYTES = 8192

/** Identifiers from the operating system's random source, drawn in blocks because one draw costs a system call. */
export function randomIds(fill: (bytes: Uint8Array) => void = (bytes) => void randomFillSync(bytes)): Ids {
  const pool = Buffer.alloc(POOL_BYTES)
  let used = POOL_BYTES
  let lastAt = 0
  let sequence = 0
  let head = ''
  let headAt = -1
  return {
    next(now) {
      if (used + 10 > POOL_BYTES) {
        fill(pool)
        used = 0
      }
      const at = (offset: number) => pool[used + offset] ?? 0
      // RFC 9562 section 6.2 method 1: the 12 bits after the version count within one millisecond.
      if (now > lastAt) {
        lastAt = now
        sequence = ((at(0) << 8) | at(1)) & 0x7ff
      } else if (++sequence > 0xfff) {
        lastAt += 1
        sequence = 0
      }
      if (headAt !== lastAt) {
        headAt = lastAt
        const time = lastAt.toString(16).padStart(12, '0')
        head = `${time.slice(0, 8)}-${time.slice(8)}-7`
      }
      pool[used + 2] = (at(2) & 0x3f) | 0x80
      const random = pool.toString('hex', used + 2, used + 10)
      used += 10
      return `${head}${HEX[sequence]}-${random.slice(0, 4)}-${random.slice(4)}`
    },
  }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** Lower-case letters that nobody can guess: 4.7 bits each, so that 26 of them are a key. */
export function randomLetters(count: number): string {
  return Array.from({ length: count }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('')
}
