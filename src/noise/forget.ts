import type { Registry } from '../registry/registry.ts'
import { MAINTENANCE } from './maintenance/maintenance.ts'
import { endOf, KEPT_MS, SILENCE } from './silence.ts'

/** Forgets silences and maintenance windows that were over {@link KEPT_MS} ago, at most `limit` of each. */
export async function forgetNoise(
  registry: Pick<Registry, 'all' | 'remove'>,
  now: number,
  limit: number,
): Promise<void> {
  const before = now - KEPT_MS
  const silences = [...registry.all(SILENCE)].filter(({ doc }) => endOf(doc) <= before)
  for (const silence of silences.slice(0, limit)) await registry.remove(SILENCE, silence)
  // One without an end is over when nobody has spoken of it for so long.
  const windows = [...registry.all(MAINTENANCE)].filter(
    ({ doc, changedAt }) => (doc.cancelledAt ?? doc.end ?? Math.max(doc.start, changedAt)) <= before,
  )
  for (const window of windows.slice(0, limit)) await registry.remove(MAINTENANCE, window)
}
