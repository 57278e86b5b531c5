import { alertReads } from '../table/alert.ts'
import { auditReads } from '../table/audit.ts'
import { conservationReads } from '../table/conservation.ts'
import { componentStateReads } from '../table/component-state.ts'
import type { Database } from '../file/database.ts'
import { deadLetterReads } from '../table/dead-letter.ts'
import { deliveryReads } from '../table/delivery.ts'
import { dispatchReads } from '../table/dispatch.ts'
import { inboxReads } from '../table/notification.ts'
import { mqttSessionReads } from '../table/mqtt-session.ts'
import { statisticsReads } from '../table/delivery-statistics.ts'
import { digestReads } from '../table/digest.ts'
import { overdueReads } from '../table/overdue.ts'
import { outboxReads } from '../table/outbox.ts'
import { recordReads } from '../table/record.ts'
import { workReads } from '../table/work.ts'

/** Every question that can be put to the file, by name. Answers are rows; the caller's side reads them. */
export function createReads(db: Database) {
  return {
    ...inboxReads(db),
    ...alertReads(db),
    ...auditReads(db),
    ...deliveryReads(db),
    ...statisticsReads(db),
    ...dispatchReads(db),
    ...deadLetterReads(db),
    ...componentStateReads(db),
    ...digestReads(db),
    ...mqttSessionReads(db),
    ...outboxReads(db),
    ...overdueReads(db),
    ...recordReads(db),
    ...conservationReads(db),
    ...workReads(db),
  }
}

export type Reads = ReturnType<typeof createReads>
export type ReadName = keyof Reads

export interface Question {
  readonly name: ReadName
  readonly input: unknown
}

export type Answer =
  | { readonly rows: unknown }
  | {
      readonly failed: string
      /** A code of ours, when it was the question's fault. */ readonly code: string | null
    }
