import { randomBytes } from 'node:crypto'
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** What is written at once: commits wait no longer than for this much. */
const PORTION_BYTES = 8 * 1024 * 1024

/**
 * A file that takes up room beside the database, to be given up when the disk is full: acknowledgements, escalations
 * and cancellations then still commit (promise P25).
 */
export interface Ballast {
  /** It was given up and does not stand again yet: the disk counts as full. */
  readonly spent: boolean
  /** Adds one portion. `none`: there is no room for it, or for anything beside it, and it takes up none. */
  grow(): 'whole' | 'growing' | 'none'
  /** Gives its room to the database. */
  spend(): void
}

/** The ballast of `bytes` in this file; it may stand already, whole or in part, from an earlier run. */
export function createBallast(file: string, bytes: number): Ballast {
  let spent = false
  let noise: Buffer | null = null
  const remove = () => rmSync(file, { force: true })

  function append(count: number): void {
    // Real bytes: a file system would keep zeros or a hole without taking up room.
    noise ??= randomBytes(1024 * 1024)
    const opened = openSync(file, 'a')
    try {
      for (let left = count; left > 0;) left -= writeSync(opened, noise, 0, Math.min(left, noise.length))
    } finally {
      closeSync(opened)
    }
  }

  return {
    get spent() {
      return spent
    },
    grow() {
      try {
        const missing = bytes - sizeOf(file)
        if (missing > 0) {
          // A quarter more, or the next commit would find the disk full again.
          if (freeBytes(dirname(file)) < missing + bytes / 4) throw new Error('There is no room')
          append(Math.min(missing, PORTION_BYTES))
        }
        if (missing > PORTION_BYTES) return 'growing'
      } catch {
        remove()
        return 'none'
      }
      spent = false
      noise = null
      return 'whole'
    },
    spend() {
      spent = true
      remove()
    },
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
