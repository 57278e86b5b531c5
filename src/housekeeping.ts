import { createConservationWatch } from './conservation-watch.ts'
import { parseDuration } from './duration.ts'
import type { Core } from './core.ts'
import { warnOfEnds } from './devices/expiring.ts'
import { forgetSeen } from './delivery/answers/seen.ts'
import { forgetNoise } from './noise/forget.ts'

const ROUND_MS = 30_000
const WATCH_MS = 60_000
const PRUNE_MS = 10 * 60_000
/** Rows of each kind in one portion, so that pruning never holds a commit up for long. */
const PORTION = 1000
/** No claim outlives its lease by this much. */
const FENCE_MS = 10 * 60_000
const DAY_MS = 24 * 60 * 60_000

/** What has to be done from time to time: pruning, forgetting fences, looking for losses. Returns what stops it. */
export function createHousekeeping(core: Core): () => void {
  let cancel = () => {}
  let stopped = false
  let pruneAt = 0
  let watchAt = 0
  const watch = createConservationWatch(core)
  const round = async () => {
    const now = core.clock.now()
    core.fence.forget(now - FENCE_MS)
    if (now >= watchAt) {
      watchAt = now + WATCH_MS
      await watch()
    }
    if (now < pruneAt) return
    pruneAt = now + PRUNE_MS
    const { outbox, dead_letters } = core.config().storage.retention
    const before = {
      now,
      outbox: now - (parseDuration(outbox) ?? 7 * DAY_MS),
      deadLetters: now - (parseDuration(dead_letters) ?? 30 * DAY_MS),
      records: now - DAY_MS,
      limit: PORTION,
    }
    await forgetSeen(core.registry, now, PORTION)
    await forgetNoise(core.registry, now, PORTION)
    await warnOfEnds(core, now, PORTION)
    while (!stopped && (await core.store.prune(before)) >= PORTION);
  }
  const arm = () => {
    cancel = core.clock.at(core.clock.now() + ROUND_MS, () => {
      round()
        .catch((error: unknown) => core.log.warn({ err: error }, 'housekeeping failed and is tried again'))
        .finally(() => {
          if (!stopped) arm()
        })
    })
  }
  arm()
  return () => {
    stopped = true
    cancel()
  }
}
