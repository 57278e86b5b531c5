import type { Person } from '../directory/directory.ts'
import { fault } from '../errors.ts'
import type { Registered, Registry } from '../registry/registry.ts'
import { addressIn, CONTACT, CONTACT_CHANNELS, type Contact, type ContactChannel } from './contact.ts'

/** A contact as its owner sees it. */
export interface ContactView {
  readonly id: string
  readonly channel: ContactChannel
  /** In full; null while a Telegram link waits to be followed. */
  readonly address: string | null
  readonly verified: boolean
  /** Null for what the configuration says, too. */
  readonly verifiedAt: number | null
  /** `file` is what the configuration says: verified, and read-only here. */
  readonly source: 'file' | 'api'
}

/** All contacts of a person, those of the configuration first. */
export function contactViews(registry: Pick<Registry, 'list'>, configured: Person): readonly ContactView[] {
  return [...filedViews(configured), ...registry.list(CONTACT, configured.tenant, configured.id).map(viewOf)]
}

/** What the configuration says of a person. */
export function filedViews(configured: Person): readonly ContactView[] {
  return CONTACT_CHANNELS.flatMap((channel) => {
    const address = addressIn(configured, channel)
    if (address === null) return []
    const id = `file-${channel}`
    return [{ id, channel, address, verified: true, verifiedAt: null, source: 'file' as const }]
  })
}

export function viewOf({ key, doc }: Registered<Contact>): ContactView {
  const { channel, address, verifiedAt } = doc
  return { id: key, channel, address, verified: verifiedAt !== null, verifiedAt, source: 'api' }
}

/** A contact that the person added; a `request.not_found` fault when there is none of this id. */
export function ownContact(
  registry: Pick<Registry, 'get'>,
  { tenant, id: owner }: Person,
  id: string,
): Registered<Contact> {
  const found = registry.get(CONTACT, { tenant, owner, key: id })
  if (found === undefined) throw fault('request.not_found', 'There is no such contact')
  return found
}
