export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** The value that this share of all is not above: 0.99 for p99. */
export function percentile(values: readonly number[], share: number): number {
  const index = Math.max(0, Math.ceil(values.length * share) - 1)
  return values.toSorted((a, b) => a - b)[index] ?? Number.NaN
}
