import { DELIVERY_STATES } from '../../../delivery/delivery.ts'
import type { Database, Row } from '../file/database.ts'
import { COUNT_OF_ROWS } from './inbox-count.ts'

const STATES = DELIVERY_STATES.map((state) => `'${state}'`).join(', ')

/** In the words of the index `delivery_moving`, which SQLite would not recognise in others. */
const MOVING = `d.state IN ('pending', 'sending')
  AND NOT (d.state = 'pending' AND d.channel = 'realtime' AND d.work_id IS NULL)`

/**
 * The law (promise P4), one query per sentence; each counts what breaks it. Reads what has not ended, and dead letters:
 * 6 ms for 10,000 pieces of work beside a million deliveries and 100,000 dead letters.
 */
export const LAW_OF_MOVING: readonly string[] = [
  // Every accepted message was routed or became a dead letter.
  'SELECT abs(accepted - routed - dead_lettered) FROM meta',
  // Every dead letter is there, or was removed on purpose.
  'SELECT abs(dead_lettered - dead_letters_removed - (SELECT count(*) FROM dead_letter)) FROM meta',
  // No state lost more deliveries than it ever had, and there is no state but the eight.
  `SELECT count(*) FROM delivery_count WHERE count < 0 OR (count > 0 AND state NOT IN (${STATES}))`,
  // What has not ended has work that will move it, and is being sent while somebody holds that; only `realtime` may
  // wait for the person to connect.
  `SELECT count(*) FROM delivery d LEFT JOIN work w ON w.id = d.work_id
   WHERE ${MOVING} AND (w.id IS NULL OR w.kind <> 'deliver' OR w.ref <> d.subject_id OR w.tenant <> d.tenant
     OR w.ordinal <> d.ordinal OR (d.state = 'sending') <> (w.leased = 1))`,
  // Work to deliver belongs to a delivery that has not ended.
  `SELECT count(*) FROM work w LEFT JOIN delivery d ON d.work_id = w.id AND ${MOVING}
   WHERE w.kind = 'deliver' AND d.work_id IS NULL`,
  // An open alert that is to go on has a timer, any other has none.
  `SELECT count(*) FROM alert a LEFT JOIN work w ON w.id = a.work_id
   WHERE a.status <> 'resolved' AND (a.next_step_at IS NOT NULL) <> (w.id IS NOT NULL)`,
  // A timer belongs to its alert.
  `SELECT count(*) FROM work w LEFT JOIN alert a ON a.id = w.ref AND a.tenant = w.tenant
   WHERE w.kind = 'escalate' AND a.work_id IS NOT w.id`,
  // A digest that is open has its work, and work to close one a digest that is open.
  `SELECT count(*) FROM digest g WHERE closed_at IS NULL
     AND (id, tenant) NOT IN (SELECT ref, tenant FROM work WHERE kind = 'digest')`,
  `SELECT count(*) FROM work w LEFT JOIN digest g ON g.id = w.ref AND g.tenant = w.tenant
   WHERE w.kind = 'digest' AND (g.id IS NULL OR g.closed_at IS NOT NULL)`,
  // It counts what it holds.
  `SELECT count(*) FROM digest g WHERE closed_at IS NULL
     AND count <> (SELECT count(*) FROM delivery d WHERE d.digest_id = g.id AND d.tenant = g.tenant)`,
  // What is to be released is there.
  `SELECT count(*) FROM work WHERE kind = 'release' AND doc IS NULL`,
]

/** The sentences that read every delivery, every alert and every inbox: half a second for a million of each. */
const LAW_OF_ALL: readonly string[] = [
  ...LAW_OF_MOVING,
  // The deliveries of every state are as many as were counted.
  `SELECT coalesce(sum(abs(count)), 0) FROM (
     SELECT state, sum(count) AS count FROM (
       SELECT state, count FROM delivery_count
       UNION ALL SELECT state, -count(*) FROM delivery GROUP BY state) GROUP BY state)`,
  // Every inbox has as many entries, and as many unread, as were counted.
  `SELECT coalesce(sum(abs(total) + abs(unread)), 0) FROM (
     SELECT sum(total) AS total, sum(unread) AS unread FROM (
       SELECT tenant, user_id, total, unread FROM inbox_count
       UNION ALL SELECT tenant, user_id, -total, -unread FROM (${COUNT_OF_ROWS})) GROUP BY tenant, user_id)`,
  // What was resolved waits for nothing.
  `SELECT count(*) FROM alert WHERE status = 'resolved' AND (next_step_at IS NOT NULL OR work_id IS NOT NULL)`,
]

/** The reader's statements behind `conservation`. */
export function conservationReads(db: Database) {
  const prepared = (law: readonly string[]) => law.map((sql) => db.prepare(sql))
  const law = { moving: prepared(LAW_OF_MOVING), all: prepared(LAW_OF_ALL) }
  const totals = db.prepare('SELECT accepted, (SELECT count(*) FROM dead_letter) FROM meta')
  const states = db.prepare('SELECT state, count FROM delivery_count')
  return {
    /** All of one instant: rows that break the law, accepted messages, dead letters, deliveries by state. */
    conservation(of: 'moving' | 'all'): { broken: number; totals: Row; states: Row[] } {
      db.exec('BEGIN')
      try {
        const broken = law[of].reduce((sum, statement) => sum + Number(statement.get()?.[0]), 0)
        return { broken, totals: totals.get() ?? [], states: states.all() }
      } finally {
        db.exec('COMMIT')
      }
    },
  }
}
