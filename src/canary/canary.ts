import type { ChannelName, Delivery } from '../delivery/delivery.ts'
import { recordKind } from '../registry/registry.ts'

/** Channels that a canary page may take: those that lead to a person outside the app. */
export const CANARY_CHANNELS = ['email', 'sms', 'voice', 'push', 'web_push', 'telegram', 'speech'] as const
export type CanaryChannel = (typeof CANARY_CHANNELS)[number]

/** The last canary page of a tenant, so that a restart neither sends one too many nor forgets to look after it. */
export interface CanaryPage {
  /** The subject of its deliveries. */
  readonly id: string
  readonly sentAt: number
  /** Whether it was looked at whether it arrived. */
  readonly checked: boolean
}

export const CANARY = recordKind<CanaryPage>('canary')

/** When the next canary page is due: the first one at once, and none for those that were missed while nothing ran. */
export function nextCanaryAt(
  last: Pick<CanaryPage, 'sentAt'> | undefined,
  everyMs: number,
  now: number,
): number {
  return last === undefined ? now : Math.max(now, last.sentAt + everyMs)
}

/** Whether a channel was said to have taken the page in its time: by its provider, or by a report of the delivery. */
export function arrivedInTime(
  rows: readonly Pick<Delivery, 'channel' | 'state' | 'sentAt' | 'createdAt'>[],
  channel: ChannelName,
  withinMs: number,
): boolean {
  return rows.some(
    (row) =>
      leadsBy(channel, row.channel) &&
      (row.state === 'sent' || row.state === 'delivered') &&
      row.sentAt !== null &&
      row.sentAt - row.createdAt <= withinMs,
  )
}

/** Whether a row is one of the ways of a channel: `push` also leads to browsers (contract section 7). */
export function leadsBy(channel: ChannelName, way: ChannelName): boolean {
  return channel === way || (channel === 'push' && way === 'web_push')
}

/** Why a channel has not taken the page, in words for the operators. */
export function whyNot(
  rows: readonly Pick<Delivery, 'channel' | 'state' | 'reason' | 'error'>[],
  channel: ChannelName,
): string {
  const row = rows.findLast((one) => leadsBy(channel, one.channel))
  if (!row) return 'the person has no address or device there'
  return [row.state, row.reason, row.error].filter((part) => part !== null).join(', ')
}
