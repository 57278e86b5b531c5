import { parentPort, workerData } from 'node:worker_threads'
import { failpoint } from '../../failpoint.ts'
import { openSqlite } from './database.ts'
import { lockFolder } from './folder-lock.ts'
import { migrate } from './migrations.ts'
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
  readonly maxPages?: number
}

// The one thread that writes. Everything here is the effect; what it does with a batch is in writer.ts.
if (parentPort) {
  // Only `sqlite-store.ts` starts this thread, and with this.
  const { folder, file, maxPages } = workerData as WriterData
  const lock = lockFolder(folder)
  const { db, writer } = opened(lock, () => {
    const db = openSqlite({ file, readOnly: false, ...(maxPages !== undefined && { maxPages }) })
    migrate(db)
    return { db, writer: createWriter(db) }
  })
  const walPages = db.prepare('PRAGMA wal_checkpoint(NOOP)')
  const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)')

  serve<Packed>(parentPort, {
    ready: { bootCount: writer.bootCount, highWaterAt: writer.highWaterAt },
    answer: (batch) => writer.run(unpack(batch)),
    after() {
      const [, inLog, copied] = walPages.get() ?? []
      if (Number(inLog) - Number(copied) < CHECKPOINT_PAGES) return
      failpoint('during-checkpoint')
      // A failed fsync throws here and ends this thread, and with it the process.
      checkpoint.get()
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
