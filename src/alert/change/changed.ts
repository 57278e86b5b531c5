import type { ErrorCode } from '../../errors.ts'
import type { Alert, TimelineEntry } from '../alert.ts'
import type { Moved, Page } from '../escalation/start.ts'
import type { WhoIs } from '../paging/resolve-targets.ts'

/** Who acts, when, how, and what targets stand for at that moment. */
export interface Act {
  /** The person or machine, by principal id; `carillon` for what time did. */
  readonly by: string
  /** `mqtt`, `http`, `outbox`, `timer`, … */
  readonly via: string
  readonly now: number
  readonly whoIs: WhoIs
  /** How long a critical alert may be snoozed at once; absent, any time. */
  readonly longestSnoozeMs?: number
  /** Kept with the timeline entry of the act. */
  readonly note?: string | undefined
}

/** What becomes of an alert; the store accepts it only if the alert is still at the version it was decided on. */
export type Change =
  | Changed
  /** The alert already is as asked (promise P16), or nothing is due: nothing is to be written. */
  | { readonly kind: 'same'; readonly alert: Alert }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message?: string }

export interface Changed {
  readonly kind: 'changed'
  /** One version on. */
  readonly alert: Alert
  readonly timeline: readonly TimelineEntry[]
  readonly page: Page | null
  /** Why every earlier page of the alert that is not sent yet is cancelled, those of `page` excepted; null: they stand. */
  readonly cancelPages: string | null
  /** Only pages of this person are cancelled; absent: everybody's. */
  readonly cancelPagesOf?: string
}

/** Makes `moved` the version after `from`. */
export function changed(from: Alert, moved: Partial<Moved>, cancelPages: string | null = null): Changed {
  const next = { ...(moved.alert ?? from), version: from.version + 1 }
  return {
    kind: 'changed',
    alert: cancelPages === null ? next : { ...next, pagesFrom: from.nextOrdinal },
    timeline: moved.timeline ?? [],
    page: moved.page ?? null,
    cancelPages,
  }
}

export function refused(code: ErrorCode, message?: string): Change {
  return { kind: 'refused', code, ...(message === undefined ? {} : { message }) }
}

/** What the timeline says about an act: `text`, and the note of who acted. */
export function entryOf(
  kind: TimelineEntry['kind'],
  { by, via, now, note }: Act,
  text?: string,
): TimelineEntry {
  const said = [text, note].filter((part) => part !== undefined).join(': ')
  return { at: now, kind, by, via, ...(said === '' ? {} : { text: said }) }
}
