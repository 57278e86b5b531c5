import { DatabaseSync } from '@photostructure/sqlite'
import { join } from 'node:path'
import { resultCode } from './database.ts'

const BUSY = 5

/**
 * Makes the data folder this process' own until `release`, or throws and names the folder when another process, or
 * another store of this one, has it. The lock is the kernel's, held by an open transaction on a file beside the data:
 * it ends with the process however that ends, so nothing stale can be left behind.
 */
export function lockFolder(folder: string): { release(): void } {
  const lock = new DatabaseSync(join(folder, 'carillon.lock'))
  try {
    // With its journal in memory nothing is written, so that a full disk can be locked as well.
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY')
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (((resultCode(error) ?? 0) & 0xff) !== BUSY) throw error
    throw new Error(
      `The data folder ${folder} is in use by another process: stop that one first, or use another folder`,
      { cause: error },
    )
  }
  return { release: () => lock.close() }
}
