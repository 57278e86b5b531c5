import type { TenantId } from '../access/principal.ts'
import type { Alert } from '../alert/alert.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { createAlertBoard } from './alert-board.ts'
import type { BoardPublish } from './board-publish.ts'
import { createOncallBoard, type Duties } from './oncall-board.ts'
import { createSystemBoard } from './system-board.ts'

/**
 * The retained topics `state/…`: whoever subscribes, however late, knows the truth at once. It repeats what the store
 * and the schedules say and is never asked by the engine.
 */
export interface Board {
  /** An alert was opened, repeated or changed. Older versions than the one shown are passed by. */
  alertChanged(alert: Alert): void
  /**
   * Makes `state/alerts/…` equal to the store after a start: shows every open alert, clears the topics in `retained`
   * that have none. Changes told meanwhile win. Also shows who is on call.
   */
  rebuild(open: Iterable<Alert> | AsyncIterable<Alert>, retained?: Iterable<string>): Promise<void>
  /** The state of a component; published on change only (R34). Says whether it was. */
  systemStatus(tenant: TenantId, component: string, state: Readonly<Record<string, unknown>>): boolean
  /** The schedules, overrides or teams have changed. */
  oncallChanged(): void
  /** Whose entry a topic shows, for the check before forwarding: topics carry no tenant. Undefined: nobody's. */
  tenantOf(topic: string): TenantId | undefined
  close(): void
}

export interface BoardOptions extends Duties {
  readonly publish: BoardPublish
  readonly clock: Clock
  readonly log: Log
  /** The alert JSON of contract section 6. */
  readonly wireAlert: (alert: Alert) => unknown
}

/** Makes an empty {@link Board}; nothing is published before the first call. */
export function createBoard(options: BoardOptions): Board {
  const alerts = createAlertBoard(options.publish, options.wireAlert)
  const oncall = createOncallBoard(options.publish, options.clock, options)
  const system = createSystemBoard(options.publish, options.log)
  return {
    alertChanged: (alert) => alerts.changed(alert),
    async rebuild(open, retained = []) {
      oncall.refresh()
      await alerts.rebuild(open, retained)
    },
    systemStatus: (tenant, component, state) => system.status(tenant, component, state),
    oncallChanged: () => oncall.refresh(),
    tenantOf: (topic) => alerts.tenantOf(topic) ?? oncall.tenantOf(topic) ?? system.tenantOf(topic),
    close: () => oncall.close(),
  }
}
