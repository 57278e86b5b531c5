import type { Delivery } from '../delivery/delivery.ts'
import type { OptOuts } from '../delivery/answers/opt-outs.ts'
import type { Directory } from '../directory/directory.ts'
import type { Registry } from '../registry/registry.ts'
import { CONTACT, CONTACT_CHANNELS, type ContactChannel } from './contact.ts'
import type { Contacts } from './contacts.ts'

/** Why a message does not go to the address it was planned for; the state and the reason that its row gets. */
export type Withheld =
  | { readonly state: 'suppressed'; readonly reason: 'opted_out' }
  | { readonly state: 'cancelled'; readonly reason: 'contact_removed' | 'code_withdrawn' }

interface WithheldDeps {
  readonly registry: Pick<Registry, 'list'>
  readonly directory: () => Pick<Directory, 'user'>
  readonly contacts: Pick<Contacts, 'contactsOf'>
  readonly optOuts: Pick<OptOuts, 'has'>
}

/**
 * Looks, right before an attempt, whether the address is still the person's (behaviour E20): a number that answered
 * STOP gets no SMS (E19), what a person removed gets nothing, and a code is sent only while it is the one that counts.
 * Null: it may go.
 */
export function createWithheld({ registry, directory, contacts, optOuts }: WithheldDeps) {
  return (
    { tenant, userId, channel, address, purpose, subjectId }: Delivery,
    now: number,
  ): Withheld | null => {
    if (channel === 'sms' && address !== null && optOuts.has(tenant, address))
      return { state: 'suppressed', reason: 'opted_out' }
    const person = userId === null ? undefined : directory().user(userId)
    if (person === undefined || address === null || !isContactChannel(channel)) return null
    if (purpose !== 'code') {
      const stands = contacts.contactsOf(person, channel).includes(address)
      return stands ? null : { state: 'cancelled', reason: 'contact_removed' }
    }
    const counts = registry
      .list(CONTACT, tenant, person.id)
      .some(({ doc: { pending } }) => pending?.messageId === subjectId && pending.expiresAt > now)
    return counts ? null : { state: 'cancelled', reason: 'code_withdrawn' }
  }
}

function isContactChannel(channel: string): channel is ContactChannel {
  return CONTACT_CHANNELS.some((known) => known === channel)
}
