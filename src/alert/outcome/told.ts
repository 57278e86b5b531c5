import type { Alert } from '../alert.ts'

/** One person and channels of theirs, each once. */
export interface Told {
  readonly userId: string
  readonly channels: readonly string[]
}

/** The alert with these people and channels added to `told`; the same version, because it joins a change. */
export function recordTold(alert: Alert, news: readonly Told[]): Alert {
  const told = new Map(Object.entries(alert.told))
  for (const { userId, channels } of news) {
    told.set(userId, [...new Set([...(told.get(userId) ?? []), ...channels])])
  }
  return { ...alert, told: Object.fromEntries(told) }
}

/** Whether the person was ever told of the alert. */
export function wasTold(alert: Alert, userId: string): boolean {
  // A user may be called "constructor".
  return Object.hasOwn(alert.told, userId)
}

/**
 * Who hears how an alert ended or who took it: everybody it was told to, once each, on the channels that reached them,
 * never by a voice call, and not the person who caused it (contract section 6, behaviour E16). `reached` says whether
 * a channel really got to the person: a page that an acknowledgement cancelled did not.
 */
export function outcomeTargets(
  alert: Alert,
  by: string,
  reached: (userId: string, channel: string) => boolean = () => true,
): readonly Told[] {
  return Object.entries(alert.told)
    .filter(([userId]) => userId !== by)
    .map(([userId, channels]) => ({
      userId,
      channels: channels.filter((channel) => channel !== 'voice' && reached(userId, channel)),
    }))
    .filter(({ channels }) => channels.length > 0)
}
