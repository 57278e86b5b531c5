const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const FORM = /^([0-9]{1,9})(ms|s|m|h|d|w)$/

/** Milliseconds of a duration such as `500ms`, `12s` or `1w` (contract section 2); null for anything else. */
export function parseDuration(text: string): number | null {
  const [, count, unit] = FORM.exec(text) ?? []
  return count === undefined ? null : Number(count) * UNITS[unit as keyof typeof UNITS]
}

/** The shortest way to write a duration that {@link parseDuration} reads back. */
export function formatDuration(ms: number): string {
  const [unit, size] = Object.entries(UNITS)
    .toReversed()
    .find(([, size]) => ms % size === 0 && ms >= size) ?? ['ms', 1]
  return `${ms / size}${unit}`
}
