import type { Core } from './core.ts'

const CAUSE = 'conservation'

/**
 * Looks whether anything was lost (promise P4), for the metrics and, when it is broken at two looks in a row, for the
 * operators. Its cost grows with what has not ended, not with what is stored. Rejects when the store cannot be asked.
 */
export function createConservationWatch({
  store,
  metrics,
  operatorAlarm,
}: Pick<Core, 'store' | 'metrics' | 'operatorAlarm'>): () => Promise<void> {
  let brokenBefore = false
  return async () => {
    const { broken, deliveries } = await store.conservation('moving')
    metrics.conservationBroken.set(broken)
    for (const [state, count] of Object.entries(deliveries)) metrics.deliveriesByState.set({ state }, count)
    if (broken === 0) operatorAlarm.over(CAUSE)
    else if (brokenBefore)
      operatorAlarm(CAUSE, `${broken} stored rows break the law of conservation: deliveries may be lost`)
    brokenBefore = broken > 0
  }
}
