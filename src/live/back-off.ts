const FIRST_MS = 100
const LONGEST_MS = 30_000

/** How long to wait before the store is asked again after it failed `failures` times in a row (1 for the first). */
export function backOffMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20))
}
