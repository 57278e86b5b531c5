import { noAlarm } from '../../src/alert/operator-alarm.ts'
import type { Clock } from '../../src/clock.ts'
import { createTargetHealth, type HealthOf } from '../../src/delivery/worker/target-health.ts'
import { createMetrics } from '../../src/metrics.ts'
import { fakeClock } from './fake-clock.ts'
import { silentLog } from './silent-log.ts'

/** Breakers that work, and tell nobody. */
export function quietHealth(clock: Pick<Clock, 'now'> = fakeClock()): HealthOf {
  const deps = { clock, log: silentLog().log, metrics: createMetrics(), alarm: noAlarm }
  return (target, options) => createTargetHealth(target, deps, options)
}
