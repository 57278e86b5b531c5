const LAST_DATE = 8.64e15

/** An instant as RFC 3339 in UTC; null stays null. One that no date can be is shown as the last: whatever is stored can be shown. */
export function rfc3339<T extends number | null>(at: T): T extends null ? null : string
export function rfc3339(at: number | null): string | null {
  return at === null ? null : new Date(at <= LAST_DATE ? at : LAST_DATE).toISOString()
}

/** Epoch seconds with fractions, as the RouteMQ document's `timestamp` has them (R17, R22). */
export function epochSeconds(at: number): number {
  return at / 1000
}
