import { LONGEST_MS, parseDuration } from '../../duration.ts'
import type { InboxReader, Store } from '../../store/store.ts'
import type { EventLog } from './event-log.ts'
import type { Position } from './position.ts'

const SECONDS = /^\d{1,12}(\.\d{1,6})?$/
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i
const AT_ONCE = 200

/** The instant that `since` names: epoch seconds, RFC 3339, or a duration back from now (behaviour N3). Null for none. */
export function instantSince(since: string, now: number): number | null {
  const back = parseDuration(since)
  if (back !== null) return now - back
  const at = SECONDS.test(since) ? Number(since) * 1000 : RFC3339.test(since) ? Date.parse(since) : Number.NaN
  return Number.isFinite(at) && at <= now + LONGEST_MS ? at : null
}

/** Where somebody stands who has everything that came before this instant. */
export async function positionAt(
  { store, log }: { readonly store: Pick<Store, 'inbox'>; readonly log: EventLog },
  reader: InboxReader,
  at: number,
): Promise<Position> {
  let event = 0
  for (const { number, at: emittedAt } of log.after(0)) if (emittedAt < at) event = number
  for (let cursor: number | undefined; ;) {
    const page = await store.inbox({
      ...reader,
      order: 'newest',
      limit: AT_ONCE,
      status: 'all',
      ...(cursor !== undefined && { cursor }),
    })
    const before = page.find(({ createdAt }) => createdAt < at)
    cursor = page.at(-1)?.seq
    if (before !== undefined || page.length < AT_ONCE || cursor === undefined)
      return { seq: before?.seq ?? -1, run: log.run, event }
  }
}
