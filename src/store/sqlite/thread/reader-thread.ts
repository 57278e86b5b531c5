import { parentPort, workerData } from 'node:worker_threads'
import { Fault } from '../../../errors.ts'
import { openSqlite } from '../file/database.ts'
import { createReads, type Answer, type Question } from './reads.ts'
import { serve } from './thread.ts'

/** Reads in a thread of its own: they wait for no fsync, and a long one does not stop the event loop. */
export interface ReaderData {
  readonly file: string
}

if (parentPort) {
  // Only `sqlite-store.ts` starts this thread, and with this.
  const { file } = workerData as ReaderData
  const db = openSqlite({ file, readOnly: true })
  const reads = createReads(db)

  function answer({ name, input }: Question): Answer {
    try {
      // The store's own methods pair every name with its input.
      return { rows: (reads[name] as (input: unknown) => unknown)(input) }
    } catch (error) {
      return {
        failed: error instanceof Error ? error.message : String(error),
        code: error instanceof Fault ? error.code : null,
      }
    }
  }

  serve<readonly Question[]>(parentPort, {
    ready: null,
    answer: (questions) => questions.map(answer),
    after() {},
    close: () => db.close(),
  })
}
