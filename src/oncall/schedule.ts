/** When and how the duty passes on; wall-clock times in `timezone` (contract section 2). */
export interface Schedule {
  /** IANA zone. */
  readonly timezone: string
  /** Later layers win where they have somebody. */
  readonly layers: readonly Layer[]
  readonly overrides: readonly Override[]
}

export interface Layer {
  /** User ids, in turn. */
  readonly rotate: readonly string[]
  readonly every: { readonly count: number; readonly unit: 'hour' | 'day' | 'week' }
  /** `{minute}` for hours; a daily hand-off `HH:MM`; a weekly one with an ISO weekday (1 = Monday). */
  readonly handoff: { readonly weekday: number; readonly hour: number; readonly minute: number }
  /** `YYYY-MM-DD`: the first in `rotate` is on from the hand-off on or before it; null counts from Monday 1970-01-05. */
  readonly start: string | null
}

export interface Override {
  readonly id: string
  readonly user: string
  /** Instants; `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
}
