import { randomFillSync } from 'node:crypto'

/** Makes identifiers. Injected, so that a simulation can repeat a run. */
export interface Ids {
  /** A UUID version 7 (RFC 9562): sorts by `now`, and within one millisecond by the order of the calls. */
  next(now: number): string
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const POOL_BYTES = 8192

/** Identifiers from the operating system's random source, drawn in blocks because one draw costs a system call. */
export function randomIds(fill: (bytes: Uint8Array) => void = (bytes) => void randomFillSync(bytes)): Ids {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  let lastAt = 0
  let sequence = 0
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
      const time = lastAt.toString(16).padStart(12, '0')
      const id =
        `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, '0')}-` +
        `${HEX[(at(2) & 0x3f) | 0x80]}${HEX[at(3)]}-${HEX[at(4)]}${HEX[at(5)]}${HEX[at(6)]}${HEX[at(7)]}${HEX[at(8)]}${HEX[at(9)]}`
      used += 10
      return id
    },
  }
}
