import type { Core } from '../core.ts'
import { failpoint } from '../failpoint.ts'
import type { Claimed } from '../store/store.ts'
import { afterAlertCommit } from './change/after-commit.ts'
import { announceFor } from '../noise/grouping/announce.ts'
import { onTimerQuietly } from '../noise/hush.ts'
import { lookAgainAt } from './timer.ts'
import { CARILLON } from './escalation/start.ts'
import { withOutcome } from './outcome/outcome.ts'
import { planPaging, whoIsFor } from './paging/paging.ts'
import { changeOf } from './raising.ts'

/**
 * The timer of an alert is due: the next step fires, or whatever its status makes of it. The step, its deliveries and
 * the next timer are one commit, refused when the alert has changed or the claim is stale, so a step fires exactly once
 * (promise P13): a crash before the commit leaves the old timer, whose lease runs out.
 */
export async function escalate(core: Core, claimed: Extract<Claimed, { kind: 'escalate' }>): Promise<void> {
  const { alert, workId, token, dueAt } = claimed
  const now = core.clock.now()
  const heldOff = core.holdOff.until(alert.id)
  if (heldOff !== null && now < heldOff) {
    await core.store.settle({ workId, token, at: now, delivery: null, nextDueAt: heldOff, outbox: null })
    core.worker.wake('escalate', heldOff)
    return
  }
  await announceFor(core, alert)
  const change = onTimerQuietly(alert, now, {
    whoIs: await whoIsFor(core, alert, now),
    quiet: core.noise.quietOf(alert, now),
    release: core.noise.releaseOf(alert),
  })
  if (change.kind !== 'changed') {
    const nextDueAt = lookAgainAt(alert, now)
    await core.store.settle({ workId, token, at: now, delivery: null, nextDueAt, outbox: null })
    // The lane knows of the lease only, which may end long after this.
    if (nextDueAt !== null) core.worker.wake('escalate', nextDueAt)
    return
  }
  const paged = planPaging(core, change.alert, change.page, now)
  const paging = await withOutcome(core, { before: alert, paging: paged, by: CARILLON, now })
  const outcome = await core.store.changeAlert({
    ...changeOf(alert, paging, change, now),
    claimed: { workId, token },
  })
  // Stale or fenced: somebody acknowledged, or another holder was faster. Their commit has set the timer.
  if (outcome !== 'done') return
  failpoint('after-fire-commit')
  core.metrics.stepLateness.observe((now - dueAt) / 1000)
  afterAlertCommit(core, paging, change.timeline, [])
}
