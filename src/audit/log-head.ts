import type { Core } from '../core.ts'

const HOUR_MS = 60 * 60_000

/**
 * Writes the end of the audit log into the program's own log, at the start and every hour (security row 30): a log that
 * is kept elsewhere then shows when somebody has rewritten everything. Returns what stops it.
 */
export function logAuditHead({ store, clock, log }: Pick<Core, 'store' | 'clock' | 'log'>): () => void {
  let cancel = () => {}
  let stopped = false
  const round = () => {
    store
      .auditHead()
      .then(({ seq, hash }) => log.info({ seq, hash }, 'head of the audit log'))
      .catch((error: unknown) => log.warn({ err: error }, 'the head of the audit log could not be read'))
      .finally(() => {
        if (!stopped) cancel = clock.at(clock.now() + HOUR_MS, round)
      })
  }
  round()
  return () => {
    stopped = true
    cancel()
  }
}
