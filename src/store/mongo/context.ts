import type { AuditRow } from '../../audit/entry.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Collections } from './collections.ts'
import type { Pipeline } from './write/pipeline.ts'

/** What the parts of an opened store share. */
export interface MongoContext {
  readonly collections: Collections
  /** The server's (promise P18). */
  readonly clock: Clock
  readonly log: Log
  /** This opened store, different at every opening. */
  readonly node: string
  /** Every write goes through it. */
  readonly pipeline: Pipeline
  /** Grows with every call, also from one process to the next: microseconds since the epoch. */
  readonly order: () => number
  /**
   * Adds to the audit log; what came under this source before is not added again, so that it may be repeated after a
   * crash.
   */
  readonly appendAudit: (rows: readonly AuditRow[], source: string) => Promise<void>
}
