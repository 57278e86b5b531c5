const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
}

/** Milliseconds of a duration such as `500ms 12s 5m 1h 1d 1w` (contract section 2), or null when it is none. */
export function parseDuration(text: string): number | null {
  const match = /^([0-9]+)(ms|s|m|h|d|w)$/.exec(text)
  if (!match) return null
  const total = Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN)
  return Number.isSafeInteger(total) ? total : null
}

/** Like {@link parseDuration}, for values that the configuration's check has let through. */
export function durationMs(text: string): number {
  const parsed = parseDuration(text)
  if (parsed === null) throw new RangeError(`not a duration: ${text}`)
  return parsed
}
