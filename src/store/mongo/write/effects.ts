import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import mongoose, { type mongo } from 'mongoose'
import type { AuditRow } from '../../../audit/entry.ts'
import { UnstorableError } from '../../unstorable-error.ts'
import type {
  DeadLetterDocument,
  DeliveryDocument,
  DispatchDocument,
  NotificationDocument,
  OutboxDocument,
  PendingPart,
  ReleaseDocument,
  StateDocument,
  TimelineDocument,
} from '../collections.ts'
import type { Slot } from './batch.ts'

/** All that follows from one atomic write: documents under ids of their own, so that writing them out may be repeated. */
export interface Effects {
  readonly notifications?: readonly NotificationDocument[]
  readonly deliveries?: readonly DeliveryDocument[]
  readonly timeline?: readonly TimelineDocument[]
  readonly states?: readonly StateDocument[]
  readonly dispatches?: readonly DispatchDocument[]
  readonly releases?: readonly ReleaseDocument[]
  readonly outbox?: readonly OutboxDocument[]
  readonly deadLetter?: Omit<DeadLetterDocument, 'payload'> & {
    /** Base64. */
    readonly payload: string
  }
  readonly audit?: readonly AuditRow[]
  /** Pages of an alert that its versions before this one made, and that still wait. */
  readonly cancel?: {
    readonly tenant: string
    readonly alertId: string
    readonly version: number
    readonly reason: string
    readonly userId?: string
  }
  /** The idempotency key of an acceptance whose commit was that of an alert, or that was kept without being asked for. */
  readonly keep?: {
    readonly _id: string
    readonly by: string
    readonly result: string
    readonly at: number
    readonly expiresAt: number
    readonly prepared: boolean
  }
}

/** Effects on their way from the document that holds them. */
export interface Outgoing {
  readonly from: 'journal' | 'alerts' | 'deliveries' | 'digests'
  readonly _id: string
  readonly part: Omit<PendingPart, 'effects'>
  readonly effects: Effects
}

/** Longer texts are compressed: messages to thousands of people repeat themselves. */
const LONG = 32 * 1024
/** A document holds 16 MiB. */
const LONGEST = 15 * 1024 * 1024

/** Texts that many documents share, once each. */
interface Packed extends Omit<Effects, 'notifications' | 'deliveries'> {
  readonly texts: readonly string[]
  readonly notifications?: readonly (Omit<NotificationDocument, 'content'> & { readonly content: number })[]
  readonly deliveries?: readonly (Omit<DeliveryDocument, 'fixed'> & { readonly fixed: number | null })[]
}

function packed(effects: Effects): Packed {
  const places = new Map<string, number>()
  const place = (text: string) => {
    const known = places.get(text) ?? places.size
    places.set(text, known)
    return known
  }
  const { notifications, deliveries, ...rest } = effects
  return {
    ...rest,
    ...(notifications && {
      notifications: notifications.map((each) => ({ ...each, content: place(each.content) })),
    }),
    ...(deliveries && {
      deliveries: deliveries.map((each) => ({
        ...each,
        fixed: each.fixed === null ? null : place(each.fixed),
      })),
    }),
    texts: [...places.keys()],
  }
}

function unpacked({ texts, notifications, deliveries, ...rest }: Packed): Effects {
  // Written by `packed`.
  const text = (place: number) => texts[place]!
  return {
    ...rest,
    ...(notifications && {
      notifications: notifications.map((each) => ({ ...each, content: text(each.content) })),
    }),
    ...(deliveries && {
      deliveries: deliveries.map((each) => ({
        ...each,
        fixed: each.fixed === null ? null : text(each.fixed),
      })),
    }),
  }
}

/** Throws an `UnstorableError` when no document can hold them. */
export function encodeEffects(effects: Effects): PendingPart['effects'] {
  const json = JSON.stringify(packed(effects))
  if (json.length <= LONG) return json
  const params = { [constants.BROTLI_PARAM_QUALITY]: 2, [constants.BROTLI_PARAM_LGWIN]: 22 }
  const bytes = brotliCompressSync(json, { params })
  if (bytes.byteLength > LONGEST) throw new UnstorableError('More follows from it than one document can hold')
  return new mongoose.mongo.Binary(bytes)
}

/** Undoes {@link encodeEffects}. */
export function decodeEffects(stored: string | mongo.Binary): Effects {
  const json = typeof stored === 'string' ? stored : brotliDecompressSync(stored.buffer).toString()
  return unpacked(JSON.parse(json) as Packed)
}

/** The part of a document that holds effects of a write. */
export function pendingPart({ id, batch }: Slot, effects: Effects, accepted: 0 | 1 = 0): PendingPart {
  const { node, number, since } = batch
  return { id, since, node, batch: number, accepted, effects: encodeEffects(effects) }
}

/** Nothing follows. */
export function isEmpty(effects: Effects): boolean {
  return Object.values(effects).every(
    (value) => value === undefined || (Array.isArray(value) && value.length === 0),
  )
}

/** What a document holds that is not written out yet. */
export function outgoingOf(
  from: Outgoing['from'],
  { _id, pending }: { readonly _id: string; readonly pending: readonly PendingPart[] },
): readonly Outgoing[] {
  return pending.map((part) => ({ from, _id, part, effects: decodeEffects(part.effects) }))
}
