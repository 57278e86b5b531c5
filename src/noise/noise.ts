import type { Alert } from '../alert/alert.ts'
import type { OpenAlerts } from '../alert/open-alerts.ts'
import type { Config } from '../config/schema/schema.ts'
import { durationMs } from '../duration.ts'
import type { Registry } from '../registry/registry.ts'
import { SlidingWindow } from '../router/sliding-window.ts'
import { FLAPPING } from './flapping.ts'
import type { Release } from './hush.ts'
import { createGroups, type Groups } from './grouping/groups.ts'
import { inhibitionsOf, type Inhibition } from './inhibition/inhibition.ts'
import { createInhibitors, type Inhibitors } from './inhibition/inhibitors.ts'
import { MAINTENANCE } from './maintenance/maintenance.ts'
import { quietOf, type Quiet } from './quiet.ts'
import { SILENCE } from './silence.ts'

/** What keeps alerts quiet, as it is at this moment. All of it is in memory, so that a publish need not read for it. */
export interface Noise {
  /** Why the alert is to be quiet now; null for no reason. */
  quietOf(alert: Alert, now: number): Quiet | null
  /** What becomes of the alert when its inhibitor is gone. */
  releaseOf(alert: Alert): Release
  /** An alert was opened under its key; how often that happens tells whether it flaps. In memory, since the start. */
  opened(alert: Alert): void
  /** For how long a flapping alert has to be quiet before it is resolved; null when it does not flap. */
  flapsFor(alert: Alert, now: number): number | null
  /** Which alerts page together, by the rules in force. */
  groups(): Groups
  /**
   * Whether alerts of this type page so often right now that pages of other types go before theirs (promise P7).
   * Counts the page it is asked for. In memory, since the start.
   */
  floods(alert: Alert, now: number): boolean
  /** The open alerts whose quiet this one decides. */
  followersOf(alert: Alert): readonly Alert[]
}

export interface NoiseOptions {
  readonly registry: Registry
  readonly config: () => Config
  readonly openAlerts: OpenAlerts
  /** A resolved alert was one of those that this one pages for. */
  readonly memberEnded?: (leader: Alert) => void
}

/** More pages about one type of alert are a storm: the rest of them waits behind everything else that is critical. */
const CALM = { maxRequests: 20, windowMs: 10_000 }

const AT_ONCE: Release = { graceMs: 0, closes: false }

export function createNoise({ registry, config, openAlerts, memberEnded }: NoiseOptions): Noise {
  let of: Config | null = null
  let rules: readonly Inhibition[] = []
  let inhibitors: Inhibitors = createInhibitors([])
  let groups: Groups = createGroups([])
  const current = () => {
    if (of !== config()) {
      of = config()
      rules = inhibitionsOf(of)
      inhibitors = createInhibitors(rules)
      groups = createGroups(of.grouping, memberEnded)
      for (const alert of openAlerts.all()) {
        groups.changed(alert)
        if (rules.length > 0) inhibitors.changed(alert)
      }
    }
    return inhibitors
  }
  openAlerts.watch((alert) => {
    const known = current()
    groups.changed(alert)
    if (rules.length > 0) known.changed(alert)
  })
  const openings = new SlidingWindow()
  const flapLimit = () => {
    const { changes, window } = config().flapping
    return changes === 0 ? null : { maxRequests: changes + 1, windowMs: durationMs(window) }
  }
  const pages = new SlidingWindow()
  const nameOf = ({ tenant, dedupKey }: Alert) => `${tenant} ${dedupKey}`
  const rulesOn = (alert: Alert) => rules.filter((rule) => rule.targetKey(alert) !== null)

  return {
    quietOf: (alert, now) => {
      const source = current().sourceOf(alert)
      const quiet = quietOf(
        alert,
        {
          silences: registry.list(SILENCE, alert.tenant, ''),
          windows: registry.list(MAINTENANCE, alert.tenant, ''),
          source,
          holdMs: Math.max(0, ...rulesOn(alert).map(({ holdMs }) => holdMs)),
        },
        now,
      )
      return quiet ?? groups.quietOf(alert, now)
    },
    groups: () => (current(), groups),
    releaseOf: (alert) => (current(), rulesOn(alert)[0] ?? AT_ONCE),
    opened(alert) {
      const limit = flapLimit()
      if (limit !== null) openings.take(nameOf(alert), limit, alert.createdAt)
    },
    flapsFor(alert, now) {
      const limit = flapLimit()
      if (limit === null) return null
      const flaps =
        alert.suppressedBy === FLAPPING ||
        (alert.status === 'firing' && openings.standing(nameOf(alert), limit, now).remaining === 0)
      return flaps ? limit.windowMs : null
    },
    floods: ({ tenant, type }, now) => !pages.take(`${tenant} ${type}`, CALM, now),
    followersOf: (alert) => [...current().targetsOf(alert), ...groups.followersOf(alert)],
  }
}
