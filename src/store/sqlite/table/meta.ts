import { randomBytes } from 'node:crypto'
import type { Database } from '../file/database.ts'

/** What one transaction adds to the counters of the one row of `meta`. */
export interface CommitTally {
  readonly at: number
  readonly accepted: number
  readonly deadLettered: number
}

/** The writer's statements on the store's own bookkeeping. */
export function metaWrites(db: Database) {
  const changes = db.prepare('SELECT total_changes()')
  const commit = db.prepare(`
    UPDATE meta SET commits = commits + 1, counted = commits + 1, inbox_counted = commits + 1,
      high_water_at = max(high_water_at, ?1), accepted = accepted + ?2,
      routed = routed + ?2 - ?3, dead_lettered = dead_lettered + ?3`)
  const removed = db.prepare('UPDATE meta SET dead_letters_removed = dead_letters_removed + ?')
  const counted = db.prepare('SELECT counted = commits, inbox_counted = commits FROM meta')
  const boot = db.prepare('UPDATE meta SET boots = boots + 1 RETURNING boots, high_water_at')
  const secret = db.prepare('SELECT value FROM secret WHERE name = ?')
  const keepSecret = db.prepare('INSERT INTO secret (name, value) VALUES (?, ?)')
  return {
    /** Rows written since the connection was opened: tells whether a transaction has anything to commit. */
    changes: () => Number(changes.get()?.[0]),
    count: (tally: CommitTally) => void commit.run(tally.at, tally.accepted, tally.deadLettered),
    /** Whether every commit so far has kept the counts of deliveries, and those of inboxes. */
    counted(): { readonly deliveries: boolean; readonly inboxes: boolean } {
      const row = counted.get()
      return { deliveries: row?.[0] === 1, inboxes: row?.[1] === 1 }
    },
    deadLettersRemoved: (count: number) => void removed.run(count),
    boot(): { bootCount: number; highWaterAt: number } {
      const row = boot.all()[0]
      return { bootCount: Number(row?.[0]), highWaterAt: Number(row?.[1]) }
    },
    secret(name: string): Uint8Array {
      const known = secret.get(name)?.[0]
      if (known instanceof Uint8Array) return known
      const made = randomBytes(32)
      keepSecret.run(name, made)
      return made
    },
  }
}
