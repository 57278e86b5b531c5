import type { Principal, TenantId } from '../access/principal.ts'
import { DEFAULT_RATE_LIMIT } from '../access/principal.ts'
import type { Core } from '../core.ts'
import type { AlertDecision } from '../notification/decision.ts'
import type { Alert } from './alert.ts'
import { CARILLON } from './escalation/start.ts'
import { raiseAlert } from './raising.ts'

/**
 * Tells the operators that the product itself is in trouble, by an alert of its own (promises P7, P20): type
 * `carillon_{kind}`, one dedup key for each cause, in the tenant `default`, to the admins and the catch-all team.
 * A `cause` is `{kind}` or `{kind}:{what}`, such as `provider_refused:sms`. Never throws and waits for nothing; what
 * could not be stored is raised again at the next call.
 */
export interface OperatorAlarm {
  /** The cause stands. While it does, further calls count onto its alert now and then and page nobody again. */
  (cause: string, message: string): void
  /** The cause is gone: its alert is resolved. Costs next to nothing when there is none. */
  over(cause: string): void
  /** An open alert of an earlier run: when its cause is gone, `over` has to know of it. */
  found(alert: Alert): void
}

/** An alarm for parts that run without the rest. */
export const noAlarm: OperatorAlarm = Object.assign(() => {}, { over() {}, found() {} })

/** Seldom enough that counting never makes a warning critical before time does (R32). */
const REPEAT_MS = 5 * 60_000
/** Causes in which pages get lost or reach nobody; behind every other one there is still a way. */
const CRITICAL: ReadonlySet<string> = new Set(['conservation', 'nobody_reachable', 'watchdog'])
/** Causes that can wait until somebody looks: an entry in the inbox, and never a page (R33). */
const QUIET: ReadonlySet<string> = new Set(['preflight'])
const KEY = `${CARILLON}:`

const ENGINE: Principal = {
  kind: 'client',
  id: CARILLON,
  tenant: 'default' as TenantId,
  roles: ['service'],
  publish: [],
  subscribe: [],
  rateLimit: DEFAULT_RATE_LIMIT,
}

/** Whether the engine itself raised this alert: what befalls its pages is no reason for another. */
export function isOwnAlert({ tenant, origin, dedupKey }: Alert): boolean {
  return tenant === ENGINE.tenant && origin.principal === CARILLON && dedupKey.startsWith(KEY)
}

export function createOperatorAlarm(coreOf: () => Core): OperatorAlarm {
  /** Causes that stand, with the instant of their last publish; -Infinity after one that failed. */
  const standing = new Map<string, number>()

  function publish(cause: string, status: AlertDecision['status'], message: string): void {
    const core = coreOf()
    const decision = decisionOf(cause, status, message)
    // Behind a promise, so that nothing it throws reaches the part that noticed.
    Promise.resolve()
      .then(() => raiseAlert(core, arrivalOf(core, decision), decision))
      .catch((error: unknown) => {
        standing.set(cause, -Infinity)
        core.log.warn({ err: error, cause }, 'an operator alarm could not be stored')
      })
  }

  const raise = (cause: string, message: string) => {
    const { clock, log, metrics } = coreOf()
    const now = clock.now()
    const last = standing.get(cause)
    if (last !== undefined && now < last + REPEAT_MS) return
    standing.set(cause, now)
    metrics.operatorAlarms.set({ cause }, 1)
    log.error({ cause }, `operator alarm: ${message}`)
    publish(cause, 'firing', message)
  }
  return Object.assign(raise, {
    over(cause: string) {
      if (!standing.delete(cause)) return
      const { log, metrics } = coreOf()
      metrics.operatorAlarms.remove({ cause })
      log.info({ cause }, 'the cause of an operator alarm is gone')
      publish(cause, 'resolved', 'The cause is gone')
    },
    found(alert: Alert) {
      if (!isOwnAlert(alert)) return
      const cause = alert.dedupKey.slice(KEY.length)
      standing.set(cause, alert.lastAt)
      coreOf().metrics.operatorAlarms.set({ cause }, 1)
    },
  })
}

function decisionOf(cause: string, status: AlertDecision['status'], message: string): AlertDecision {
  const [kind = cause] = cause.split(':')
  const what = cause.slice(kind.length + 1)
  return {
    kind: 'alert',
    level: CRITICAL.has(kind) ? 'critical' : QUIET.has(kind) ? 'info' : 'warning',
    alertType: `${CARILLON}_${kind}`,
    status,
    message,
    source: CARILLON,
    affectedSystems: what === '' ? [] : [what],
    dedupKey: KEY + cause,
    data: { cause },
  }
}

function arrivalOf({ clock, ids }: Core, { level, alertType }: AlertDecision) {
  const now = clock.now()
  const messageId = ids.next(now)
  return {
    publish: {
      principal: ENGINE,
      topic: `alerts/${level}/${alertType}`,
      payload: new Uint8Array(),
      qos: 1,
      via: 'engine',
      fingerprint: null,
      dup: false,
      correlationId: messageId,
    },
    messageId,
    named: false,
    now,
    submitted() {},
  } as const
}
