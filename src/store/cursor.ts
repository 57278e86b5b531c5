import { fault } from '../errors.ts'
import type { Page } from './store.ts'

/** The place after which the next page begins, in the order of the listing's key. */
export type Position = readonly (string | number)[]

export function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** Undoes {@link encodeCursor}; `shape` has one example per part. Anything else is a `request.invalid` fault. */
export function decodeCursor(cursor: string | undefined, shape: Position): Position | null {
  if (cursor === undefined) return null
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    parts = null
  }
  if (
    Array.isArray(parts) &&
    parts.length === shape.length &&
    parts.every((part, index) => typeof part === typeof shape[index])
  )
    return parts as Position
  throw fault('request.invalid', 'The cursor is none of ours')
}

/** One page of rows that were asked for with one row more than the page holds. */
export function pageOf<T, Row>(
  rows: readonly Row[],
  limit: number,
  read: { readonly item: (row: Row) => T; readonly position: (row: Row) => readonly unknown[] },
): Page<T> {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  return {
    items: kept.map(read.item),
    // What a listing is ordered by is text or a number.
    nextCursor: rows.length > limit && last ? encodeCursor(read.position(last) as Position) : null,
  }
}
