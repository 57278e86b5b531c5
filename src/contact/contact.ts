import type { Recipient } from '../delivery/channel.ts'
import { parseMailbox, parsePhone } from '../delivery/address.ts'
import { recordKind } from '../registry/registry.ts'
import type { PendingCode } from './code.ts'

/** The channels a person may add addresses for. */
export const CONTACT_CHANNELS = ['email', 'sms', 'voice', 'telegram'] as const
export type ContactChannel = (typeof CONTACT_CHANNELS)[number]

/** An address that a person added. Until it is verified it gets nothing but its code (behaviours E20, N12). */
export interface Contact {
  readonly channel: ContactChannel
  /** As the channel sends to it; null for a Telegram link that nobody has followed yet. */
  readonly address: string | null
  readonly verifiedAt: number | null
  readonly pending: PendingCode | null
}

/** Owned by the person, under the contact's id. */
export const CONTACT = recordKind<Contact>('contact')

/** What an address is, apart from the channel: a phone number serves both SMS and calls (behaviour E20). */
export type AddressKind = 'email' | 'phone' | 'telegram'

export const ADDRESS_KIND: Readonly<Record<ContactChannel, AddressKind>> = {
  email: 'email',
  sms: 'phone',
  voice: 'phone',
  telegram: 'telegram',
}

/** The address as the channel sends to it, or null when it is none. */
export function parseAddress(channel: ContactChannel, text: string): string | null {
  switch (ADDRESS_KIND[channel]) {
    case 'email':
      return parseMailbox(text)
    case 'phone':
      return parsePhone(text)
    case 'telegram':
      // A private chat has the number of its person; groups are negative.
      return /^[1-9][0-9]{0,15}$/.test(text) && Number.isSafeInteger(Number(text)) ? text : null
  }
}

/** Where this person's own fields lead to on a channel; null when they do not. */
export function addressIn(
  { email, phone, telegramChatId }: Pick<Recipient, 'email' | 'phone' | 'telegramChatId'>,
  channel: ContactChannel,
): string | null {
  const text = { email, phone, telegram: telegramChatId?.toString() }[ADDRESS_KIND[channel]]
  return text === undefined ? null : parseAddress(channel, text)
}
