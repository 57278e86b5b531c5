const FIRST_MS = 500
const LONGEST_MS = 30_000

/**
 * How long to wait before the next try after `failures` in a row (1 for the first): anything between nothing and a
 * limit that doubles each time, so that all clients of a server that comes back do not come at once. `random` is in [0, 1).
 */
export function backOffMs(failures: number, random: number): number {
  return Math.floor(random * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16)))
}
