import type { Core } from '../core.ts'
import type { Person } from '../directory/directory.ts'
import { fault } from '../errors.ts'
import type { Registered } from '../registry/registry.ts'
import { tryCode } from './code.ts'
import { ownContact, viewOf, type ContactView } from './contact-view.ts'
import { ADDRESS_KIND, CONTACT, type Contact } from './contact.ts'

type Own = Registered<Contact>

/** See `ContactBook.verify`. Calls of one person come one after another. */
export async function verifyContact(
  core: Core,
  person: Person,
  id: string,
  given: string,
): Promise<ContactView> {
  const own = ownContact(core.registry, person, id)
  const { address, verifiedAt, pending } = own.doc
  if (verifiedAt !== null) return viewOf(own)
  // A link is followed, not typed in.
  const tried = tryCode(address === null ? null : pending, given.trim(), core.clock.now())
  if (tried.kind === 'none' || address === null) throw fault('contact.no_code')
  if (tried.kind === 'right') return viewOf(await verified(core, person, own, address))
  await core.registry.put(CONTACT, own, { ...own.doc, pending: tried.pending }, own.version)
  throw fault('contact.wrong_code', undefined, { tries_left: tried.triesLeft })
}

/** A Telegram link that was followed in a private chat; `known` says that the person has this chat already. */
export interface FollowedLink {
  readonly id: string
  readonly code: string
  readonly chatId: number
  readonly known: boolean
}

/** Resolves with the name of the person whose chat it is now, null when the link is good for nothing any more. */
export async function followLink(core: Core, person: Person, link: FollowedLink): Promise<string | null> {
  const own = ownContact(core.registry, person, link.id)
  if (tryCode(own.doc.pending, link.code, core.clock.now()).kind !== 'right') return null
  if (link.known) await core.registry.remove(CONTACT, own)
  else await verified(core, person, own, String(link.chatId))
  return person.name
}

/** Takes the contact, and what is the same number of the same person. */
async function verified(core: Core, person: Person, own: Own, address: string): Promise<Own> {
  const { registry } = core
  const verifiedAt = core.clock.now()
  const take = (one: Own) =>
    registry.put(CONTACT, one, { ...one.doc, address, verifiedAt, pending: null }, one.version)
  const done = await take(own)
  const { channel } = own.doc
  const same = registry
    .list(CONTACT, person.tenant, person.id)
    .filter(({ doc }) => ADDRESS_KIND[doc.channel] === ADDRESS_KIND[channel] && doc.address === address)
  for (const other of same) if (other.doc.verifiedAt === null) await take(other)
  core.log.info({ user: person.id, channel, contact: own.key }, 'a contact was verified')
  return done
}
