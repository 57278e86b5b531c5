import type { Database } from '../file/database.ts'

/**
 * How many deliveries are in which state, kept beside the rows, because counting a million of them takes a sixth of a
 * second. Gathered in memory and written once per transaction: a trigger per row costs a third of the insert.
 */
export function deliveryCounts(db: Database) {
  const add = db.prepare(`
    INSERT INTO delivery_count (state, count) VALUES (?, ?)
    ON CONFLICT (state) DO UPDATE SET count = count + excluded.count`)
  let changes = new Map<string, number>()
  const change = (state: string, by: number) => void changes.set(state, (changes.get(state) ?? 0) + by)
  return {
    /** A row is new (`from` null) or has moved on. */
    moved(from: string | null, to: string, rows = 1): void {
      if (from !== null) change(from, -rows)
      change(to, rows)
    },
    /** What was gathered so far, to be restored when what follows is undone. */
    mark: (): ReadonlyMap<string, number> => new Map(changes),
    restore(mark: ReadonlyMap<string, number> = new Map()): void {
      changes = new Map(mark)
    },
    /** From the rows themselves. */
    recount(): void {
      db.exec(`
        BEGIN IMMEDIATE;
        DELETE FROM delivery_count;
        INSERT INTO delivery_count SELECT state, count(*) FROM delivery GROUP BY state;
        COMMIT`)
    },
    /** Before the commit. */
    write(): void {
      for (const [state, by] of changes) if (by !== 0) add.run(state, by)
      changes.clear()
    },
  }
}
