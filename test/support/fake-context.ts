import { DEFAULT_RATE_LIMIT, type Principal, type TenantId } from '../../src/access/principal.ts'
import type { Directory } from '../../src/directory/directory.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { Context } from '../../src/router/context.ts'
import type { Publish } from '../../src/router/publish.ts'
import { fakeClock } from './fake-clock.ts'
import { silentLog } from './silent-log.ts'

const metrics = createMetrics()

export function principal(id: string, changes: Partial<Principal> = {}): Principal {
  return {
    kind: 'client',
    id,
    tenant: 'default' as TenantId,
    roles: ['service'],
    publish: [],
    subscribe: [],
    rateLimit: DEFAULT_RATE_LIMIT,
    ...changes,
  }
}

export interface FakeContext extends Context {
  /** What `tell` was called with. */
  readonly told: { readonly id: string; readonly payload: Readonly<Record<string, unknown>> }[]
}

export interface FakeContextOptions extends Partial<
  Omit<Context, 'publish' | 'tell' | 'principal' | 'topic' | 'qos'>
> {
  readonly publish?: Partial<Publish>
}

/** One publish as the middleware and a handler see it; MQTT with QoS 1 unless `publish` says otherwise. */
export function fakeContext(options: FakeContextOptions = {}): FakeContext {
  const clock = options.clock ?? fakeClock()
  const publish: Publish = {
    principal: principal('db-monitor'),
    topic: 'notifications/realtime/user/anna',
    payload: new Uint8Array(),
    qos: 1,
    via: 'mqtt',
    fingerprint: null,
    dup: false,
    correlationId: 'c-1',
    ...options.publish,
  }
  const told: FakeContext['told'] = []
  return {
    topic: publish.topic,
    pattern: publish.topic,
    params: {},
    body: {},
    principal: publish.principal,
    qos: publish.qos,
    correlationId: publish.correlationId,
    messageId: 'm-1',
    now: clock.now(),
    // Nothing between the broker and the controller looks anybody up; a look-up here would be a defect that shows.
    directory: {} as Directory,
    filter: { block: [], redact: [] },
    log: silentLog().log,
    metrics,
    ...options,
    publish,
    clock,
    told,
    tell: (id, payload) => void told.push({ id, payload }),
  }
}
