import { matchFilter } from '../access/topic-filter.ts'
import type { Principal } from '../access/principal.ts'
import { fitsPattern } from '../directory/alert-type.ts'

/** Publishes that are turned away before anything looks at them (checklist R41); both parts have to fit. */
export interface Block {
  /** User or client id; `*` stands for any characters. Absent: everybody. */
  readonly from?: string
  /** Topic filter. Absent: every topic. */
  readonly topic?: string
  /** What the sender is told. */
  readonly reason?: string
}

/** The entry that turns this publish away, null for none. */
export function blockedBy(
  blocks: readonly Block[],
  principal: Pick<Principal, 'id'>,
  topic: string,
): Block | null {
  const fits = ({ from, topic: filter }: Block) =>
    (from === undefined || fitsPattern(principal.id, from)) &&
    (filter === undefined || matchFilter(filter, topic))
  return blocks.find(fits) ?? null
}
