import type { Database, SqlValue } from '../sqlite/file/database.ts'

const PAGE = 1000

/** One row by the names of its columns. */
export type NamedRow<Column extends string> = Readonly<Record<Column, SqlValue>>

/** All rows of a table in the order of its key, page by page, so that any size of table fits into memory. */
export function* rowsOf<Column extends string>(
  db: Database,
  table: string,
  { key, columns }: { readonly key: readonly string[]; readonly columns: readonly Column[] },
): Generator<NamedRow<Column>> {
  const wanted = [...key, ...columns].join(', ')
  const next = (where: string) =>
    db.prepare(`SELECT ${wanted} FROM ${table} ${where} ORDER BY ${key.join(', ')} LIMIT ${PAGE}`)
  const first = next('')
  const later = next(`WHERE (${key.join(', ')}) > (${key.map(() => '?').join(', ')})`)
  for (let page = first.all(); page.length > 0;) {
    for (const row of page) {
      const named = columns.map((column, index) => [column, row[key.length + index] ?? null] as const)
      // Built from the list of all columns.
      yield Object.fromEntries(named) as NamedRow<Column>
    }
    page = later.all(...(page.at(-1)?.slice(0, key.length) ?? []))
  }
}

/** What a column holds that is never null. */
export const text = (value: SqlValue): string => String(value)
export const number = (value: SqlValue): number => Number(value)
/** What a column holds that may be null. */
export const textOrNull = (value: SqlValue): string | null => (value === null ? null : String(value))
export const numberOrNull = (value: SqlValue): number | null => (value === null ? null : Number(value))
