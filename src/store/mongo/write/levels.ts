import type { Touch } from './pipeline.ts'

/**
 * Divides writes into levels that are to happen one after the other, each as early as the order of those it touches
 * something with allows. Within a level the order does not matter.
 */
export function levelsOf<T extends { readonly touches: readonly Touch[] }>(
  writes: readonly T[],
): readonly (readonly T[])[] {
  const levels: T[][] = []
  /** For what is touched: how, and the last level that touches it so. */
  const touched = new Map<string, Map<string, number>>()
  for (const write of writes) {
    let level = 0
    for (const [what, how] of write.touches)
      for (const [other, last] of touched.get(what) ?? [])
        if ((other !== how || how === 'alone') && last >= level) level = last + 1
    for (const [what, how] of write.touches) {
      const ways = touched.get(what) ?? new Map<string, number>()
      ways.set(how, Math.max(ways.get(how) ?? 0, level))
      touched.set(what, ways)
    }
    ;(levels[level] ??= []).push(write)
  }
  return levels
}
