import { DEFAULT_TENANT, type Principal } from '../access/principal.ts'
import type { Reloaded } from '../config/reload.ts'
import type { Core } from '../core.ts'

/** Writes down that the configuration was read again, which keys are different, or how many faults it has. */
export function auditReload(
  { store, clock, log }: Pick<Core, 'store' | 'clock' | 'log'>,
  outcome: Reloaded,
  by: Principal | undefined,
): void {
  const detail = outcome.ok ? { changed: outcome.changed } : { faults: outcome.faults.length }
  const entry = {
    tenant: by?.tenant ?? DEFAULT_TENANT,
    at: clock.now(),
    actor: by?.id ?? 'carillon',
    via: by ? 'http' : 'signal',
    action: outcome.ok ? 'config.reload' : 'config.reload_failed',
    subject: null,
    detail,
  }
  store.audit([entry]).catch((error: unknown) => {
    log.error({ err: error, action: entry.action }, 'an entry of the audit log was lost')
  })
}
