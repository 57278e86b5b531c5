import type { PublisherOptions } from './publisher.ts'
import type { SubscriberOptions } from './subscriber.ts'

/** What the load process is told, one job at a time. */
export type Job =
  | {
      readonly kind: 'open'
      readonly target: string
      readonly publishers: readonly PublisherOptions[]
      readonly subscribers: readonly SubscriberOptions[]
    }
  | {
      readonly kind: 'publish'
      readonly target: string
      readonly messages: number
      readonly pace: Pace
    }
  | { readonly kind: 'close'; readonly target: string }

/** `window`: each publisher keeps so many in flight. `rate`: so many per second in all, whatever comes back. */
export type Pace =
  | { readonly kind: 'window'; readonly inFlight: number }
  | { readonly kind: 'rate'; readonly perSecond: number }

export interface Published {
  readonly acknowledged: number
  readonly received: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export type Answer =
  | { readonly ok: true; readonly published: Published | null }
  | { readonly ok: false; readonly message: string }
