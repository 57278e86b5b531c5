import { mayPublish } from '../access/grants.ts'
import type { Principal } from '../access/principal.ts'
import type { Engine } from '../engine.ts'
import { fault, type ErrorCode } from '../errors.ts'
import type { HookAlert, HookWishes } from './hook-alert.ts'

/** What became of one alert of a request. */
export interface HookResult {
  readonly status: string
  readonly alert_id?: string
  readonly dedup_key: string
  readonly error?: { readonly code: ErrorCode; readonly message: string }
}

export interface HookDelivery {
  readonly by: Principal
  readonly wishes: HookWishes
  readonly correlationId: string
  /** Makes a resend of the whole request harmless. */
  readonly idempotencyKey: string | undefined
  readonly traceparent: string | null
}

/**
 * Takes each alert through the door, as a publish to `alerts/{level}/{type}` in the name of the caller: grants, limits,
 * one commit for each. An alert that becomes a dead letter is a result like others. Throws what concerns the whole
 * request: a missing grant, a limit, a store that takes nothing; the sender then sends all of it again.
 */
export async function deliverHook(
  engine: Engine,
  alerts: readonly HookAlert[],
  delivery: HookDelivery,
): Promise<readonly HookResult[]> {
  const results: HookResult[] = []
  for (const [index, alert] of alerts.entries())
    results.push(await deliverOne(engine, alert, delivery, index))
  return results
}

async function deliverOne(
  engine: Engine,
  alert: HookAlert,
  delivery: HookDelivery,
  index: number,
): Promise<HookResult> {
  const { dedupKey } = alert
  const publish = await publishOf(engine, alert, delivery)
  if (publish === null) return { status: 'alert_not_open', dedup_key: dedupKey }
  if (!mayPublish(delivery.by, publish.topic))
    throw fault('publish.forbidden', `The client may not publish to ${publish.topic}`)
  const { idempotencyKey: key, traceparent } = delivery
  const outcome = await engine.receive({
    principal: delivery.by,
    topic: publish.topic,
    payload: Buffer.from(JSON.stringify(publish.body)),
    qos: 1,
    via: 'http',
    fingerprint: null,
    dup: false,
    correlationId: delivery.correlationId,
    ...(key !== undefined && { idempotencyKey: `${key}.${index}` }),
    ...(traceparent !== null && { traceparent }),
  })
  switch (outcome.kind) {
    case 'stored': {
      const { status, alert_id: id } = outcome.result
      return {
        status: typeof status === 'string' ? status : 'accepted',
        ...(typeof id === 'string' && { alert_id: id }),
        dedup_key: dedupKey,
      }
    }
    case 'dead':
      return { status: 'dead', dedup_key: dedupKey, error: { code: outcome.code, message: outcome.message } }
    case 'refused':
      throw fault(outcome.code, outcome.message, {
        ...outcome.details,
        ...(outcome.retryAfterMs !== undefined && { retry_after_ms: outcome.retryAfterMs }),
      })
    case 'plain':
    case 'discarded':
      return { status: outcome.kind, dedup_key: dedupKey }
  }
}

/** Null where an alert that is not open is to be acknowledged. */
async function publishOf(
  engine: Engine,
  { action, level, type, message, source, dedupKey, data }: HookAlert,
  { by, wishes }: HookDelivery,
): Promise<{ readonly topic: string; readonly body: object } | null> {
  if (action === 'acknowledge') {
    const open = await engine.store.openAlert(by.tenant, dedupKey)
    return open === null ? null : { topic: `alerts/${open.id}/ack`, body: {} }
  }
  return {
    topic: `alerts/${wishes.severity ?? level}/${wishes.type ?? type}`,
    body: {
      message: message.slice(0, LONGEST_MESSAGE),
      status: action === 'resolve' ? 'resolved' : 'firing',
      dedup_key: dedupKey,
      ...(source !== null && { source: source.slice(0, LONGEST_SOURCE) }),
      data,
    },
  }
}

/** As the route takes them at most (controllers/alert-controller.ts). */
const LONGEST_MESSAGE = 65_536
const LONGEST_SOURCE = 255
