import { changeOf } from '../alert/raising.ts'
import type { Alert } from '../alert/alert.ts'
import type { Core } from '../core.ts'
import { judge, retimed } from './due-check.ts'
import { pingDeadMan } from './dead-man-ping.ts'

const ROUND_MS = 30_000
/** A step that is due longer than this is late (promise P21). */
const LATE_MS = 5000
/** Alerts that one round mends, and looks at. */
const MOST = 1000
const CAUSE = 'watchdog'

export interface Watchdog {
  /** What is wrong with the escalations, for `/readyz`; null when they are on time. */
  readonly trouble: () => string | null
  readonly stop: () => void
}

/**
 * Looks every 30 seconds whether escalations are on time, apart from what carries them out (promise P21): for
 * `/readyz`, the metric and the operators, and for whoever waits for the ping outside. A timer that was lost is set
 * again (behaviour O13). A round that could not ask the store is trouble, too.
 */
export function createWatchdog(core: Core): Watchdog {
  const { clock, store, metrics, log, operatorAlarm } = core
  let trouble: string | null = null
  let cancel = () => {}
  let stopped = false

  const look = async () => {
    const now = clock.now()
    const overdue = await store.overdue(now - LATE_MS, now, MOST)
    const late = judge(overdue, now)
    metrics.watchdog.set(overdue.work)
    trouble = late?.message ?? null
    if (!late) return operatorAlarm.over(CAUSE)
    operatorAlarm(CAUSE, late.message)
    for (const alert of late.lost) await mend(core, alert, now)
  }
  const arm = () => {
    cancel = clock.at(clock.now() + ROUND_MS, () => {
      look()
        .catch((error: unknown) => {
          trouble = 'the watchdog cannot ask the store'
          log.warn({ err: error }, trouble)
        })
        .finally(() => {
          if (!stopped) arm()
        })
    })
  }
  arm()
  const stopPing = pingDeadMan(core, () => trouble)
  return {
    trouble: () => trouble,
    stop() {
      stopped = true
      cancel()
      stopPing()
    },
  }
}

/** Refused by the store when the alert has changed meanwhile: then it has what its change gave it. */
async function mend({ store, worker, log }: Core, alert: Alert, now: number): Promise<void> {
  const paging = { alert: retimed(alert, now), deliveries: [], notifications: [] }
  const note = { at: now, kind: 'note', by: 'carillon', text: 'The timer was lost and is set again' } as const
  const done = await store.changeAlert(changeOf(alert, paging, [note], now, null))
  log.error({ alert: alert.id, outcome: done }, 'the timer of an alert was lost and is set again')
  worker.wake('escalate', paging.alert.nextStepAt ?? now)
}
