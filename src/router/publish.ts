import type { Principal } from '../access/principal.ts'
import type { ErrorCode } from '../errors.ts'
import type { RuleResult } from '../rules/apply-rules.ts'
import type { DeadLetter } from '../store/store.ts'

/** One message at the door, whatever carried it: MQTT, `POST /v1/publish/…`, or the engine itself. */
export interface Publish {
  readonly principal: Principal
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly via: 'mqtt' | 'http' | 'engine'
  /**
   * Names this transmission when it may be repeated: equal for a resend with DUP, as MQTT client id, packet id, topic
   * and payload make it (promise P3). Null where the transport cannot repeat by itself.
   */
  readonly fingerprint: string | null
  /** MQTT's DUP flag: only then may `fingerprint` match an earlier one. */
  readonly dup: boolean
  /** The HTTP `Idempotency-Key`; wins over an `id` in the payload. */
  readonly idempotencyKey?: string
  /** W3C trace context of the sender (checklist R49). */
  readonly traceparent?: string
  readonly correlationId: string
  /** Aborted when the sender is gone: a publish that still waits for its rate limit then ends unaccepted. */
  readonly signal?: AbortSignal
  /** A last will: published because the connection of its sender was lost. */
  readonly will?: boolean
  /** The dead letter that is presented again with it, and that stays the only one when it is refused again. */
  readonly replayOf?: DeadLetter
}

/** What became of it. */
export type Outcome =
  /** Stored: acknowledge. `result` is the handler's answer (R20, R21, R23 …). */
  | {
      readonly kind: 'stored'
      readonly id: string
      readonly result: Readonly<Record<string, unknown>>
      readonly duplicate: boolean
    }
  /** Stored as a dead letter under this id: acknowledge over MQTT, answer the code's status over HTTP. */
  | { readonly kind: 'dead'; readonly id: string; readonly code: ErrorCode; readonly message: string }
  /** No route and none of the product's prefixes: the broker forwards it as it is. `rules` is what rules made of it, stored. */
  | { readonly kind: 'plain'; readonly rules?: readonly RuleResult[] }
  /** Acknowledged and thrown away: a bridge's notification, or a QoS 0 publish over its rate limit. */
  | { readonly kind: 'discarded'; readonly code: ErrorCode | null }
  /** Not accepted. MQTT: the connection is closed without an acknowledgement; HTTP: the code's status. */
  | {
      readonly kind: 'refused'
      readonly code: ErrorCode
      readonly message: string
      readonly details?: Readonly<Record<string, unknown>>
      readonly retryAfterMs?: number
    }
