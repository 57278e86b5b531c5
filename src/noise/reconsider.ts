import { afterAlertCommit } from '../alert/change/after-commit.ts'
import type { Alert } from '../alert/alert.ts'
import type { Act } from '../alert/change/changed.ts'
import { CARILLON } from '../alert/escalation/start.ts'
import { withOutcome } from '../alert/outcome/outcome.ts'
import { planPaging, whoIsAt, whoIsFor } from '../alert/paging/paging.ts'
import { changeOf } from '../alert/raising.ts'
import type { WhoIs } from '../alert/paging/resolve-targets.ts'
import type { Core } from '../core.ts'
import { announceFor } from './grouping/announce.ts'
import { followLeader } from './grouping/follow-leader.ts'
import { settle } from './hush.ts'

/** How many alerts change side by side; they share commits. */
const TOGETHER = 100
/** How often a change is decided anew because the alert changed under it. */
const TRIES = 20
const AGAIN_MS = 1000

/**
 * Brings these alerts in line with what keeps them quiet by now. Resolves when all are; those that the store refused are
 * tried again later, and the start of the program does it for every open alert, so that a crash loses nothing.
 */
export async function reconsider(core: Core, alerts: Iterable<Alert>): Promise<void> {
  const now = core.clock.now()
  const directory = core.directory()
  const due = [...alerts].filter(
    (alert) => decide(core, alert, whoIsAt(directory, alert, now)).kind === 'changed',
  )
  const failed: Alert[] = []
  for (let from = 0; from < due.length; from += TOGETHER) {
    const portion = due.slice(from, from + TOGETHER)
    const done = await Promise.allSettled(portion.map((alert) => reconsiderOne(core, alert)))
    done.forEach((result, index) => {
      if (result.status === 'fulfilled') return
      core.log.warn({ err: result.reason as unknown }, 'what keeps an alert quiet is looked at again')
      failed.push(portion[index]!)
    })
  }
  if (failed.length > 0)
    core.clock.at(core.clock.now() + AGAIN_MS, () => void reconsider(core, freshOf(core, failed)))
}

/** What was resolved meanwhile needs nothing. */
function freshOf(core: Core, alerts: readonly Alert[]): readonly Alert[] {
  return alerts.flatMap(({ id }) => core.openAlerts.get(id) ?? [])
}

function decide(core: Core, alert: Alert, whoIs: WhoIs) {
  const now = core.clock.now()
  const act: Act = { by: CARILLON, via: 'timer', now, whoIs }
  const together = followLeader(alert, core.noise.groups().leaderOf(alert), act)
  return together ?? settle(alert, core.noise.quietOf(alert, now), act, core.noise.releaseOf(alert))
}

async function reconsiderOne(core: Core, { tenant, id }: Alert): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const alert = await core.store.alert(tenant, id)
    if (alert === null) return
    await announceFor(core, alert)
    const change = decide(core, alert, await whoIsFor(core, alert, core.clock.now()))
    if (change.kind !== 'changed') return
    const now = core.clock.now()
    const paged = planPaging(core, change.alert, change.page, now)
    const paging = await withOutcome(core, { before: alert, paging: paged, by: CARILLON, now })
    const outcome = await core.store.changeAlert(changeOf(alert, paging, change, now))
    if (outcome !== 'done') continue
    afterAlertCommit(core, paging, change.timeline, [])
    return
  }
  throw new Error(`alert ${id} changes faster than it can be followed`)
}
