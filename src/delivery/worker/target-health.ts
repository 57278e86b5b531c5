import type { OperatorAlarm } from '../../alert/operator-alarm.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import { afterSign, CLOSED, troubleOf, type Breaker, type ProviderSign } from './breaker.ts'

/** The breaker of one target as it stands, kept by what its attempts say. */
export interface TargetHealth {
  readonly breaker: Breaker
  /** Takes a sign in; a pause and its end go to the log and the metrics, lasting trouble to the operator (P7). */
  heed(sign: ProviderSign): void
}

/** Makes the health of a target; `patience` failures in a row open its breaker, as many as usual unless given. */
export type HealthOf = (target: string, patience?: number) => TargetHealth

export interface HealthDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'paused'>
  readonly alarm: OperatorAlarm
}

const SAID = {
  refused: 'refuses our credentials: mend them, the deliveries wait until then',
  failing: 'has been failing for a while: its deliveries wait and are tried again',
}

/** `target` is a lane, or one of several providers of a channel, such as `sms/main`. */
export function createTargetHealth(target: string, deps: HealthDeps, patience?: number): TargetHealth {
  const { clock, log, metrics, alarm } = deps
  const causes = { refused: `provider_refused:${target}`, failing: `provider_failing:${target}` }
  let breaker = CLOSED
  return {
    get breaker() {
      return breaker
    },
    heed(sign) {
      const now = clock.now()
      const before = breaker
      breaker = afterSign(before, sign, now, patience)
      if (breaker.pausedUntil > before.pausedUntil) {
        metrics.paused.set({ lane: target }, 1)
        const pauseMs = breaker.pausedUntil - now
        log.error({ lane: target, cause: breaker.cause, pauseMs }, 'provider paused, its deliveries wait')
        const trouble = troubleOf(breaker)
        if (trouble !== null) alarm(causes[trouble], `The provider behind ${target} ${SAID[trouble]}`)
      } else if (before.cause !== null && breaker.cause === null) {
        metrics.paused.set({ lane: target }, 0)
        log.info({ lane: target }, 'provider is well again')
      }
      // Asked at every success, because the alarm may be one of an earlier run.
      if (sign.sign === 'well' && breaker.cause === null) {
        alarm.over(causes.refused)
        alarm.over(causes.failing)
      }
    },
  }
}
