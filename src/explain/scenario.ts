import type { Principal } from '../access/principal.ts'
import type { AlertLevel } from '../alert/alert.ts'
import { openDraft } from '../alert/raising.ts'
import type { Core } from '../core.ts'
import { rehearsing } from './rehearsing.ts'
import { simulate, type Scenario, type SimulatedEvent } from './simulate.ts'

/** An alert that is not raised, and what goes wrong. */
export interface WhatIf extends Omit<Scenario, 'opened'> {
  readonly alert: { readonly type: string; readonly severity: AlertLevel }
}

/** Opens the alert as a publish of this principal would, and follows it; see {@link simulate}. */
export async function simulateAlert(
  live: Core,
  by: Principal,
  whatIf: WhatIf,
): Promise<readonly SimulatedEvent[]> {
  const core = rehearsing(live)
  const { alert, at } = whatIf
  const messageId = core.ids.next(at)
  const arrival = {
    publish: {
      principal: by,
      topic: `alerts/${alert.severity}/${alert.type}`,
      payload: new Uint8Array(),
      qos: 1,
      via: 'engine',
      fingerprint: null,
      dup: false,
      correlationId: messageId,
    },
    messageId,
    named: false,
    now: at,
    submitted() {},
  } as const
  const opened = await openDraft(core, arrival, {
    kind: 'alert',
    level: alert.severity,
    alertType: alert.type,
    status: 'firing',
    message: alert.type,
    source: null,
    affectedSystems: [],
    dedupKey: null,
    data: {},
  })
  return simulate(core, { ...whatIf, opened })
}
