import { chained, NO_ENTRIES, type AuditHead, type AuditRow } from './entry.ts'

/** A row as it was found, with the number and the hash that stand beside it. */
export interface FoundRow extends AuditHead {
  readonly row: AuditRow
}

export type Verdict =
  | { readonly ok: true; readonly entries: number; readonly head: AuditHead }
  /** `at`: the number of the first entry that is not what was written. */
  | { readonly ok: false; readonly at: number; readonly because: string }

/** Checks a log portion by portion; after the first fault it stays with that. */
export interface ChainCheck {
  add(rows: readonly FoundRow[]): void
  /**
   * The verdict over everything that was added. `end` is what the log itself says is its end, so that entries taken
   * off the end are missed too.
   */
  verdict(end: AuditHead): Verdict
}

/**
 * Follows the chain from its beginning (security row 30); the rows are read by the caller, oldest first. `known` is a
 * head that somebody wrote down earlier: against it even a chain that was computed anew does not stand.
 */
export function createChainCheck(known?: AuditHead): ChainCheck {
  let head = NO_ENTRIES
  let broken: Extract<Verdict, { ok: false }> | null = null
  const fail = (at: number, because: string) => void (broken ??= { ok: false, at, because })
  return {
    add(rows) {
      for (const { seq, hash, row } of rows) {
        if (broken) return
        const next = chained(head, row)
        if (seq !== next.seq) return fail(next.seq, `entry ${next.seq} is missing`)
        if (hash !== next.hash) return fail(seq, `entry ${seq} is not what was written`)
        head = next
        if (known?.seq === seq && known.hash !== hash)
          fail(seq, `entry ${seq} is another than the one whose head was written down`)
      }
    },
    verdict(end) {
      if (broken) return broken
      if (end.seq > head.seq) fail(head.seq + 1, `entry ${head.seq + 1} is missing at the end`)
      else if (end.seq !== head.seq || end.hash !== head.hash)
        fail(head.seq, 'the end of the log does not fit')
      if (known && known.seq > head.seq)
        fail(head.seq + 1, `the log had ${known.seq} entries when its head was written down`)
      return broken ?? { ok: true, entries: head.seq, head }
    },
  }
}
