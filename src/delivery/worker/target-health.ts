import type { OperatorAlarm } from '../../alert/operator-alarm.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import { afterSign, CLOSED, troubleOf, type Breaker, type ProviderSign } from './breaker.ts'

/** The breaker of one target as it stands, kept by what its attempts say. */
export interface TargetHealth {
  readonly breaker: Breaker
  /** Takes a sign in; a pause and its end go to the log and the metrics, and what was told is over with a success. */
  heed(sign: ProviderSign): void
  /** Tells the operators of lasting trouble (P7); `covered` says that somebody else sends in its place. */
  tell(covered?: boolean): void
}

export interface HealthOptions {
  /** So many failures in a row open its breaker; as many as usual unless given. */
  readonly patience?: number
  /** What its alarms name; the target itself unless given. Targets of the same name have one alarm. */
  readonly alarmAs?: string
}

export type HealthOf = (target: string, options?: HealthOptions) => TargetHealth

export interface HealthDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'paused'>
  readonly alarm: OperatorAlarm
}

const SAID = { refused: 'refuses our credentials', failing: 'has been failing for a while' }
const WAITING = {
  refused: 'mend them, the deliveries wait until then',
  failing: 'its deliveries wait and are tried again',
}
const COVERED = 'another provider stands in'

/** `target` is a lane, or one of several providers of a channel, such as `sms/main`. */
export function createTargetHealth(
  target: string,
  { clock, log, metrics, alarm }: HealthDeps,
  { patience, alarmAs = target }: HealthOptions = {},
): TargetHealth {
  const causes = { refused: `provider_refused:${alarmAs}`, failing: `provider_failing:${alarmAs}` }
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
    tell(covered = false) {
      const trouble = troubleOf(breaker)
      if (trouble === null) return
      const meanwhile = covered ? COVERED : WAITING[trouble]
      alarm(causes[trouble], `${alarmAs} ${SAID[trouble]}: ${meanwhile}`)
    },
  }
}
