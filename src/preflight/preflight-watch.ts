import { DEFAULT_TENANT } from '../access/principal.ts'
import { CONTACT } from '../contact/contact.ts'
import type { Core } from '../core.ts'
import { waysTo } from '../delivery/ways.ts'
import { DEVICE } from '../devices/devices.ts'
import { renderProblem } from '../wire/problem.ts'
import { preflight, problemKey, type Problem } from './preflight.ts'

const HOUR_MS = 60 * 60_000
/** Several changes at once are looked at once. */
const SOON_MS = 1000

/** Of the tenant `default`, for its operators: topics carry no tenant. */
export const PREFLIGHT_TOPIC = 'state/preflight'

export interface PreflightWatch {
  /** As of the last look. */
  readonly problems: () => readonly Problem[]
  /** People, teams or schedules are others now. */
  readonly changed: () => void
  readonly stop: () => void
}

/**
 * Looks ahead at the start, every hour, and right after what could matter was changed. What is found goes to the
 * retained topic, the metric and the log; what turns up while the program runs is told to the operators as well, once
 * and quietly. What the first look finds is told by the log alone: whoever starts the program reads it.
 */
export function createPreflightWatch(core: Core): PreflightWatch {
  const { clock, registry, log, metrics, operatorAlarm } = core
  let found: ReadonlyMap<string, Problem> | null = null
  let cancel = () => {}
  let nextAt = Infinity
  let shown = false

  const look = () => {
    const before = found
    const now = clock.now()
    const problems = preflight({
      directory: core.directory(),
      canReach: (person, channel) => waysTo(core, person, channel).length > 0,
      unverified: ({ tenant, id }) =>
        registry.list(CONTACT, tenant, id).filter(({ doc }) => doc.verifiedAt === null).length,
      now,
    })
    found = new Map(problems.map((problem) => [problemKey(problem), problem]))
    for (const [key, problem] of found) {
      if (before?.has(key) === true) continue
      log.warn({ ...renderProblem(problem) }, `preflight: ${problem.message}`)
      if (before) operatorAlarm(`preflight:${key}`, problem.message)
    }
    for (const key of before?.keys() ?? []) if (!found.has(key)) operatorAlarm.over(`preflight:${key}`)
    metrics.preflight.set(problems.length)
    show(problems)
    arm(HOUR_MS)
  }
  // Without a team there is nothing to look ahead to, and a topic that nobody set up would only surprise.
  const show = (problems: readonly Problem[]) => {
    shown ||= core.directory().teams(DEFAULT_TENANT).length > 0
    if (!shown) return
    const ours = problems.filter(({ tenant }) => tenant === DEFAULT_TENANT).map(renderProblem)
    core.publish(PREFLIGHT_TOPIC, JSON.stringify({ problems: ours, count: ours.length }), { retain: true })
  }
  const arm = (ms: number) => {
    cancel()
    nextAt = clock.now() + ms
    cancel = clock.at(nextAt, look)
  }
  // Never put off: changes that come without end are looked at all the same.
  const changed = () => {
    if (nextAt > clock.now() + SOON_MS) arm(SOON_MS)
  }
  look()
  registry.watch(CONTACT, changed)
  registry.watch(DEVICE, changed)
  return {
    problems: () => [...(found?.values() ?? [])],
    changed,
    stop: () => cancel(),
  }
}
