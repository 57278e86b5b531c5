/** `count` messages in every `windowMs`. */
export interface Window {
  readonly count: number
  readonly windowMs: number
}

/** A message that went to one person on one channel. */
export interface Sent {
  readonly at: number
  /** Of a page of a critical alert; null for everything else. */
  readonly criticalType: string | null
  readonly summary: boolean
  /** Tells how an alert ended. */
  readonly outcome?: boolean
}

/** What is held gathers at least this long before its summary, so that one summary counts a whole burst. */
const GATHER_MS = 20_000

/**
 * Whether one more message fits into every window of a person's budget on a channel (contract section 7). The first
 * page of a critical alert of another type always does: no such page went out within the shortest window (promise
 * P11). What tells how an alert ended has to fit as well, but takes no room from anything else.
 */
export function fitsBudget(
  sent: readonly Sent[],
  windows: readonly Window[],
  {
    now,
    criticalType,
    outcome = false,
  }: { readonly now: number; readonly criticalType: string | null; readonly outcome?: boolean },
): boolean {
  const counted = outcome ? sent : sent.filter((one) => !one.outcome)
  const within = (windowMs: number) => counted.filter(({ at }) => at > now - windowMs)
  if (criticalType !== null && !within(shortest(windows)).some((one) => one.criticalType === criticalType))
    return true
  return windows.every(({ count, windowMs }) => within(windowMs).length < count)
}

/** When the summary of what is held from `now` on goes out: soon, and one in every shortest window. */
export function summaryDueAt(sent: readonly Sent[], windows: readonly Window[], now: number): number {
  const window = shortest(windows)
  const last = Math.max(-Infinity, ...sent.filter(({ summary }) => summary).map(({ at }) => at))
  return Math.max(now + Math.min(GATHER_MS, window), last + window)
}

/** How far back a budget looks. */
export function longestWindow(windows: readonly Window[]): number {
  return Math.max(0, ...windows.map(({ windowMs }) => windowMs))
}

function shortest(windows: readonly Window[]): number {
  return Math.min(...windows.map(({ windowMs }) => windowMs))
}
