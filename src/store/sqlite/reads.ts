import { alertReads } from './alert.ts'
import { conservationReads } from './conservation.ts'
import { componentStateReads } from './component-state.ts'
import type { Database } from './database.ts'
import { deadLetterReads } from './dead-letter.ts'
import { deliveryReads } from './delivery.ts'
import { inboxReads } from './notification.ts'
import { outboxReads } from './outbox.ts'

/** Every question that can be put to the file, by name. Answers are rows; the caller's side reads them. */
export function createReads(db: Database) {
  return {
    ...inboxReads(db),
    ...alertReads(db),
    ...deliveryReads(db),
    ...deadLetterReads(db),
    ...componentStateReads(db),
    ...outboxReads(db),
    ...conservationReads(db),
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
