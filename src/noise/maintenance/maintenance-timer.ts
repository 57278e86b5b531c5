import { DEFAULT_RATE_LIMIT, type TenantId } from '../../access/principal.ts'
import { CARILLON } from '../../alert/escalation/start.ts'
import type { Core } from '../../core.ts'
import { durationMs } from '../../duration.ts'
import { Fault } from '../../errors.ts'
import { acceptNotification } from '../../notification/accept.ts'
import { acceptanceOf } from '../../notification/acceptance.ts'
import type { Arrival } from '../../router/arrival.ts'
import type { Claimed } from '../../store/store.ts'
import { MAINTENANCE, nextPhaseAt, phaseOf, type Maintenance } from './maintenance.ts'
import { noticeOf, windowState } from './maintenance-notice.ts'

type ReleaseWork = Extract<Claimed, { kind: 'release' }>

/** How long the window itself may come after its timer: a crash parted them, and the publisher has not tried again. */
const PATIENCE_MS = 60 * 60_000
const LOOK_AGAIN_MS = 1000

/** Whether a piece of work is the timer of a maintenance window. */
export function isMaintenanceTimer({ doc }: ReleaseWork): boolean {
  return typeof doc['maintenance'] === 'string'
}

/**
 * A maintenance window enters a phase: people are reminded or told of its end, its components change their state on the
 * board (checklist R35). Everything in it may be done again, so a crash anywhere leaves it to the lease. Muted alerts
 * need nothing of it: their own timers end with the window.
 */
export async function maintenanceTimer(core: Core, claimed: ReleaseWork): Promise<void> {
  const { tenant, workId, token, doc } = claimed
  const id = String(doc['maintenance'])
  const now = core.clock.now()
  const window = core.registry.get(MAINTENANCE, { tenant, owner: '', key: id })?.doc
  const remindMs = durationMs(core.config().maintenance.remind)
  if (window !== undefined) await enter(core, tenant, { id, window, now, remindMs })
  const missing = now < Number(doc['from']) + PATIENCE_MS ? now + LOOK_AGAIN_MS : null
  const nextDueAt = window === undefined ? missing : nextPhaseAt(window, now, remindMs)
  await core.store.settle({ workId, token, at: now, delivery: null, nextDueAt, outbox: null })
  if (nextDueAt !== null) core.worker.wake('release', nextDueAt)
}

interface Entering {
  readonly id: string
  readonly window: Maintenance
  readonly now: number
  readonly remindMs: number
}

async function enter(core: Core, tenant: TenantId, { id, window, now, remindMs }: Entering): Promise<void> {
  const phase = phaseOf(window, now, remindMs)
  const { count: muted } = await core.store.referring(tenant, `maintenance:${id}`, 1)
  const notice = noticeOf(id, window, { phase, remindMs, muted })
  if (notice !== null) {
    const arrival = arrivalOf(tenant, notice.key, now)
    const decision = { kind: 'notify', to: { broadcast: window.groups }, draft: notice.draft } as const
    await acceptNotification(core, arrival, decision).catch((error: unknown) => {
      // A group that is gone must not keep the others from what follows.
      if (!(error instanceof Fault) || error.entry.mqtt !== 'dead') throw error
      core.log.warn({ maintenance: id, err: error }, 'nobody is told of a maintenance window')
    })
  }
  await show(core, tenant, { window, now, over: phase === 'over' })
  // Who called it off is an entry already.
  if (phase === 'over' && window.cancelledAt === null)
    await core.store.audit([
      {
        tenant,
        at: now,
        actor: CARILLON,
        via: 'engine',
        action: 'maintenance.end',
        subject: id,
        detail: { muted },
      },
    ])
}

/** What somebody has said of a component since stands: only the window's own state ends with it. */
async function show(
  core: Core,
  tenant: TenantId,
  { window, now, over }: { readonly window: Maintenance; readonly now: number; readonly over: boolean },
): Promise<void> {
  const known = new Map(
    (await core.store.states())
      .filter((each) => each.tenant === tenant)
      .map(({ name, state }) => [name, String(state['status'])]),
  )
  const states = window.components
    .filter((name) => known.get(name)?.startsWith('maintenance') ?? !over)
    .map((name) => ({
      name,
      state: over
        ? { component: name, status: 'operational', updated_at: new Date(now).toISOString() }
        : windowState(name, window, now),
    }))
  if (states.length === 0) return
  await core.store.accept({
    ...acceptanceOf(arrivalOf(tenant, '', now), {}, { states }),
    once: null,
  })
  for (const { name, state } of states) core.board.systemStatus(tenant, name, state)
}

function arrivalOf(tenant: TenantId, onceKey: string, now: number): Arrival {
  return {
    publish: {
      principal: {
        kind: 'client',
        id: CARILLON,
        tenant,
        roles: [],
        publish: [],
        subscribe: [],
        rateLimit: DEFAULT_RATE_LIMIT,
      },
      topic: 'notifications/system/maintenance',
      payload: new Uint8Array(),
      qos: 1,
      via: 'engine',
      fingerprint: null,
      dup: false,
      correlationId: onceKey,
    },
    messageId: onceKey,
    named: true,
    onceKey,
    now,
    submitted: () => {},
  }
}
