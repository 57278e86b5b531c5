import { DELIVERY_STATES } from '../../../delivery/delivery.ts'
import type { Database, Row } from '../file/database.ts'

const STATES = DELIVERY_STATES.map((state) => `'${state}'`).join(', ')

/**
 * The law (promise P4), one query per sentence; each counts what breaks it.
 * Reads every delivery and all work: for tests, `doctor` and an operator's question, not for a hot path.
 */
const LAW: readonly string[] = [
  // Every accepted message was routed or became a dead letter.
  'SELECT abs(accepted - routed - dead_lettered) FROM meta',
  // Every dead letter is there, or was removed on purpose.
  'SELECT abs(dead_lettered - dead_letters_removed - (SELECT count(*) FROM dead_letter)) FROM meta',
  // Every delivery is in one of the eight states.
  `SELECT count(*) FROM delivery WHERE state NOT IN (${STATES})`,
  // What has not ended has work that will move it; only `realtime` may wait for the person to connect.
  `SELECT count(*) FROM delivery d LEFT JOIN work w ON w.id = d.work_id
   WHERE d.state IN ('pending', 'sending')
     AND ((d.work_id IS NULL AND (d.channel <> 'realtime' OR d.state = 'sending'))
       OR (d.work_id IS NOT NULL AND (w.id IS NULL OR w.kind <> 'deliver' OR w.ref <> d.subject_id
         OR w.tenant <> d.tenant OR w.ordinal <> d.ordinal)))`,
  // What is being sent is held by somebody, and what waits is not.
  `SELECT count(*) FROM delivery d JOIN work w ON w.id = d.work_id
   WHERE d.state IN ('pending', 'sending') AND (d.state = 'sending') <> (w.leased = 1)`,
  // Work to deliver belongs to a delivery that has not ended, and to one only.
  `SELECT count(*) FROM work w
   LEFT JOIN delivery d ON d.subject_id = w.ref AND d.tenant = w.tenant AND d.ordinal = w.ordinal
   WHERE w.kind = 'deliver' AND (d.work_id IS NOT w.id OR d.state NOT IN ('pending', 'sending'))`,
  // An alert that is to go on has a timer, any other has none.
  `SELECT count(*) FROM alert a LEFT JOIN work w ON w.id = a.work_id
   WHERE (a.next_step_at IS NOT NULL) <> (w.id IS NOT NULL)`,
  // A timer belongs to its alert.
  `SELECT count(*) FROM work w LEFT JOIN alert a ON a.id = w.ref AND a.tenant = w.tenant
   WHERE w.kind = 'escalate' AND a.work_id IS NOT w.id`,
  // A digest that is open has its work, and work to close one a digest that is open.
  `SELECT count(*) FROM digest g WHERE closed_at IS NULL
     AND NOT EXISTS (SELECT 1 FROM work w WHERE w.kind = 'digest' AND w.ref = g.id AND w.tenant = g.tenant)`,
  `SELECT count(*) FROM work w LEFT JOIN digest g ON g.id = w.ref AND g.tenant = w.tenant
   WHERE w.kind = 'digest' AND (g.id IS NULL OR g.closed_at IS NOT NULL)`,
  // It counts what it holds.
  `SELECT count(*) FROM digest g WHERE closed_at IS NULL
     AND count <> (SELECT count(*) FROM delivery d WHERE d.digest_id = g.id AND d.tenant = g.tenant)`,
  // What is to be released is there.
  `SELECT count(*) FROM work WHERE kind = 'release' AND doc IS NULL`,
]

/** The reader's statements behind `conservation`. */
export function conservationReads(db: Database) {
  const law = LAW.map((sql) => db.prepare(sql))
  const totals = db.prepare('SELECT accepted, (SELECT count(*) FROM dead_letter) FROM meta')
  const states = db.prepare('SELECT state, count(*) FROM delivery GROUP BY state')
  return {
    /** All of one instant: rows that break the law, accepted messages, dead letters, deliveries by state. */
    conservation(): { broken: number; totals: Row; states: Row[] } {
      db.exec('BEGIN')
      try {
        const broken = law.reduce((sum, statement) => sum + Number(statement.get()?.[0]), 0)
        return { broken, totals: totals.get() ?? [], states: states.all() }
      } finally {
        db.exec('COMMIT')
      }
    },
  }
}
