import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The database in a data folder. */
export const DATA_FILE = 'carillon.db'
/** What says that a folder's data is elsewhere now, or on its way. */
export const MOVED_FILE = 'moved.json'

export interface Moved {
  /** A name of the folder that no other has. */
  readonly from: string
  /** False while it is on its way: the folder is what counts still. */
  readonly done: boolean
}

/** Whether the folder's data was moved away; null when nobody ever tried. */
export function readMoved(folder: string): Moved | null {
  const file = join(folder, MOVED_FILE)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Moved) : null
}

export function writeMoved(folder: string, moved: Moved): void {
  writeFileSync(join(folder, MOVED_FILE), JSON.stringify(moved))
}

/** Throws when the data is elsewhere by now: two installations that page the same people are worse than none. */
export function refuseMoved(folder: string): void {
  if (readMoved(folder)?.done !== true) return
  throw new Error(
    `The data of ${folder} was moved to MongoDB: start with storage.driver mongo, or delete ${MOVED_FILE} in it to go on ` +
      'with what it was then',
  )
}
