import type { Alert } from '../../src/alert/alert.ts'
import { TENANT } from './memory-inbox.ts'

/** An alert as it is when it has just paged somebody; `changes` win. */
export function sampleAlert(changes: Partial<Alert> = {}): Alert {
  return {
    id: 'a1',
    tenant: TENANT,
    type: 'system_failure',
    severity: 'critical',
    message: 'Database connection lost',
    source: 'database_monitor',
    affectedSystems: ['orders'],
    data: {},
    dedupKey: 'system_failure:database_monitor',
    status: 'firing',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    team: 'platform',
    policy: { steps: [], repeat: 0, ackTimeoutMs: null },
    step: 1,
    repeat: 0,
    nextStepAt: null,
    resolvedAt: null,
    suppressedBy: null,
    told: { anna: ['realtime'] },
    nextOrdinal: 1,
    pagesFrom: 0,
    origin: { principal: 'sensor', messageId: 'm1', topic: 'alerts/critical/system_failure' },
    createdAt: 0,
    version: 1,
    count: 1,
    lastAt: 0,
    ...changes,
  }
}
