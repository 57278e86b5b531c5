import { parentPort, workerData } from 'node:worker_threads'
import { failpoint } from '../../../failpoint.ts'
import { createBallast, type Ballast } from '../file/ballast.ts'
import { isDiskFull, openSqlite } from '../file/database.ts'
import { lockFolder } from '../file/folder-lock.ts'
import { migrate } from '../table/migrations.ts'
import { unpack, type Packed } from './operation.ts'
import { serve } from './thread.ts'
import { createWriter } from './writer.ts'

/**
 * Pages of the write-ahead log after which it is copied into the file: a hot page is then copied once for several
 * commits. Measured over 80,000 accepts: 1,000 pages cost a seventh more CPU than 4,000, and 16,000 save 3 % more for
 * a pause four times as long.
 */
const CHECKPOINT_PAGES = 4000

export interface WriterData {
  readonly folder: string
  readonly file: string
  readonly ballast: { readonly file: string; readonly bytes: number }
  readonly maxPages?: number
}

// The one thread that writes. Everything here is the effect; what it does with a batch is in writer.ts.
if (parentPort) {
  // Only `sqlite-store.ts` starts this thread, and with this.
  const { folder, file, maxPages, ...data } = workerData as WriterData
  const lock = lockFolder(folder)
  const ballast = createBallast(data.ballast.file, data.ballast.bytes)
  const { db, writer } = opened(lock, () =>
    withRoom(ballast, () => {
      const db = openSqlite({ file, readOnly: false, ...(maxPages !== undefined && { maxPages }) })
      try {
        migrate(db)
        return { db, writer: createWriter(db, ballast) }
      } catch (error) {
        db.close()
        throw error
      }
    }),
  )
  const ballasted = !ballast.spent && stock(ballast)
  const walPages = db.prepare('PRAGMA wal_checkpoint(NOOP)')
  const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)')

  serve<Packed>(parentPort, {
    ready: { bootCount: writer.bootCount, highWaterAt: writer.highWaterAt, ballasted, full: ballast.spent },
    answer: (batch) => writer.run(unpack(batch)),
    after() {
      const [, inLog, copied] = walPages.get() ?? []
      if (Number(inLog) - Number(copied) < CHECKPOINT_PAGES) return
      failpoint('during-checkpoint')
      // A failed fsync throws here and ends this thread, and with it the process.
      try {
        checkpoint.get()
      } catch (error) {
        // The log still holds everything; the next commit tries again, in the room that this leaves.
        if (!isDiskFull(error)) throw error
        ballast.spend()
      }
    },
    close() {
      failpoint('during-checkpoint')
      db.close()
      lock.release()
    },
  })
}

/** What `open` gives; when it throws, the folder is free again. */
function opened<T>(lock: { release(): void }, open: () => T): T {
  try {
    return open()
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Gives the ballast up when the disk is too full to begin, and tries once more. */
function withRoom<T>(ballast: Ballast, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (!isDiskFull(error)) throw error
    ballast.spend()
    return open()
  }
}

function stock(ballast: Ballast): boolean {
  for (;;) {
    const state = ballast.grow()
    if (state !== 'growing') return state === 'whole'
  }
}
