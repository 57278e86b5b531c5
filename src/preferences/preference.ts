import { CHANNEL_NAMES, type ChannelName } from '../delivery/delivery.ts'

/** The ways to reach a person; `webhook` reaches a program. */
export type PersonalChannel = Exclude<ChannelName, 'webhook'>

/**
 * One row of what a person wants: messages whose name fits `eventType` do or do not come on `channel`, of one customer
 * or, with null, of all (checklist C17, X34).
 */
export interface Preference {
  /** A name such as `payment.received`, or a pattern in which `*` stands for any characters. */
  readonly eventType: string
  readonly channel: PersonalChannel
  readonly enabled: boolean
  readonly customerId: string | null
  /** Off only because its event was switched off as a whole: it comes back with the event. Only when not enabled. */
  readonly paused?: true
}

/** What the requirement documents call channels that have another name here (checklist X03, X06, C05). */
const OTHER_NAMES: Readonly<Record<string, PersonalChannel>> = {
  app: 'realtime',
  in_app: 'realtime',
  system: 'realtime',
  browser: 'web_push',
}

const PERSONAL: ReadonlyMap<string, PersonalChannel> = new Map([
  ...CHANNEL_NAMES.flatMap((name): [string, PersonalChannel][] => (name === 'webhook' ? [] : [[name, name]])),
  ...Object.entries(OTHER_NAMES),
])

/** Every name under which a channel may be given, for those who gave another. */
export const CHANNEL_WORDS: readonly string[] = [...PERSONAL.keys()]

/** The channel of this name, spelled exactly; undefined for none. */
export function personalChannel(name: string): PersonalChannel | undefined {
  return PERSONAL.get(name)
}
