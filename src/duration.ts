const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
/** A hundred years: what is added to an instant must leave one that dates and stores can hold. */
export const LONGEST_MS = 36_525 * UNITS.d
const FORM = /^([0-9]{1,15})(ms|s|m|h|d|w)$/

/** Milliseconds of a duration such as `500ms 12s 5m 1h 1d 1w` (contract section 2); null when it is none or over a hundred years. */
export function parseDuration(text: string): number | null {
  const [, count, unit] = FORM.exec(text) ?? []
  if (count === undefined) return null
  const total = Number(count) * UNITS[unit as keyof typeof UNITS]
  return total <= LONGEST_MS ? total : null
}

/** Like {@link parseDuration}, for values that the configuration's check has let through; throws for others. */
export function durationMs(text: string): number {
  const parsed = parseDuration(text)
  if (parsed === null) throw new RangeError(`not a duration: ${text}`)
  return parsed
}

/** The shortest way to write a duration that {@link parseDuration} reads back. */
export function formatDuration(ms: number): string {
  const [unit, size] = Object.entries(UNITS)
    .toReversed()
    .find(([, size]) => ms % size === 0 && ms >= size) ?? ['ms', 1]
  return `${ms / size}${unit}`
}
