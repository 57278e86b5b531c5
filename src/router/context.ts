import type { Principal } from '../access/principal.ts'
import type { Config } from '../config/schema/schema.ts'
import type { Clock } from '../clock.ts'
import type { Directory } from '../directory/directory.ts'
import type { Log } from '../log.ts'
import type { Rates } from '../nodes/rates.ts'
import type { Metrics } from '../metrics.ts'
import type { Decision } from '../notification/decision.ts'
import type { Publish } from './publish.ts'

/** What a middleware and a controller see of one publish (checklist R45). */
export interface Context<Params extends object = Readonly<Record<string, string>>, Body = unknown> {
  readonly publish: Publish
  readonly topic: string
  /** The pattern of the route that took it, with its group's prefix. */
  readonly pattern: string
  readonly params: Params
  /** The payload as JSON, checked against the route's schema. A filter may replace it before the check. */
  body: Body
  readonly principal: Principal
  readonly qos: 0 | 1 | 2
  readonly correlationId: string
  /** Payload `id`, HTTP Idempotency-Key, or one the server made. */
  readonly messageId: string
  /** When the publish came in. */
  readonly now: number
  readonly clock: Clock
  readonly directory: Directory
  /** Whom and what the configuration wants kept out, as it is now (checklist R41). */
  readonly filter: Config['filter']
  readonly log: Log
  readonly metrics: Metrics
  /** Rates that are counted over all nodes; absent on a single one. */
  readonly rates?: Rates | undefined
  /** Sends a message to the publisher's own receipt topic at once, at most once; not durable (rate limit [R47]). */
  tell(id: string, payload: Readonly<Record<string, unknown>>): void
}

/**
 * Wraps a handler. Calls `next` once and returns what it returned, or throws a `Fault` (whose table row says whether
 * the publish becomes a dead letter or is refused), or returns a decision of its own.
 */
export type Middleware = (context: Context, next: () => Promise<Decision>) => Promise<Decision>

/** A controller: says what is to happen; nothing is sent before it is committed (decision 10). */
export type Handler<Params extends object, Body> = (
  context: Context<Params, Body>,
) => Decision | Promise<Decision>
