import { DatabaseSync } from '@photostructure/sqlite'

/** What a column holds, and what crosses between the threads. */
export type SqlValue = string | number | null | Uint8Array
/** One row in the order of its statement's columns: half the price of objects between threads. */
export type Row = readonly SqlValue[]

/** A prepared statement; parameters are positional. */
export interface Statement {
  run(...values: readonly SqlValue[]): { readonly changes: number; readonly lastInsertRowid: number }
  get(...values: readonly SqlValue[]): Row | undefined
  all(...values: readonly SqlValue[]): Row[]
}

/** One connection. Synchronous: only to be used in a thread of its own. */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  readonly inTransaction: boolean
  close(): void
}

export interface SqliteOptions {
  readonly file: string
  readonly readOnly: boolean
  /** Test only: pages after which the disk counts as full. */
  readonly maxPages?: number
}

/**
 * Opens a connection with everything set that SQLite keeps per connection. The writer creates the file; a read-only
 * connection needs the file to exist. Replaceable by `node:sqlite`, whose interface this is.
 */
export function openSqlite(options: SqliteOptions): Database {
  const native = new DatabaseSync(options.file, { readOnly: options.readOnly })
  try {
    native.exec(`
      PRAGMA busy_timeout = 5000;
      PRAGMA foreign_keys = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -65536;
    `)
    if (!options.readOnly) {
      // Under WAL this build defaults to NORMAL, which does not wait for the disk: promise P1 needs FULL.
      // Checkpoints are the writer's own: SQLite ignores a failed fsync in its automatic ones (promise P25).
      native.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA journal_size_limit = 67108864;
      `)
      if (options.maxPages !== undefined) native.exec(`PRAGMA max_page_count = ${options.maxPages}`)
    }
  } catch (error) {
    native.close()
    throw error
  }
  return {
    exec: (sql) => native.exec(sql),
    prepare(sql) {
      const statement = native.prepare(sql)
      statement.setReturnArrays(true)
      // The package types every row as `any`; with arrays switched on, a row is what `Statement` says.
      return statement as unknown as Statement
    },
    get inTransaction() {
      return native.isTransaction
    },
    close: () => native.close(),
  }
}

/** SQLite's extended result code of an error (https://sqlite.org/rescode.html), or null when it is not SQLite's. */
export function resultCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code : null
}

/** A unique index refused the row. */
export function isUniqueViolation(error: unknown): boolean {
  const code = resultCode(error)
  return code === 2067 || code === 1555
}

const STORAGE_CODES = new Set([
  5 /* BUSY */, 7 /* NOMEM */, 8 /* READONLY */, 10 /* IOERR */, 11 /* CORRUPT */, 13 /* FULL */,
  14 /* CANTOPEN */, 26 /* NOTADB */,
])

/** The storage failed, not the operation: another try with less would fail like this one. */
export function isStorageFailure(error: unknown): boolean {
  const code = resultCode(error)
  return code !== null && STORAGE_CODES.has(code & 0xff)
}

/**
 * There is no room, and nothing of what did not fit counts as written. SQLite says so of the database and its log with
 * one code, and of the log's index, which is written after them and is none of the data, with another.
 */
export function isDiskFull(error: unknown): boolean {
  const code = resultCode(error)
  return code !== null && ((code & 0xff) === 13 || code === 4874) /* IOERR_SHMSIZE */
}

/**
 * What was written may or may not be on the disk, and asking again would not tell: after a failed fsync the kernel
 * drops the dirty pages and reports success from then on (fsyncgate, promise P25).
 */
export function isInputOutputFailure(error: unknown): boolean {
  const code = resultCode(error)
  return code !== null && (code & 0xff) === 10 && !isDiskFull(error)
}
