import type { Core } from '../core.ts'
import type { OptOuts } from '../delivery/answers/opt-outs.ts'
import type { Person } from '../directory/directory.ts'
import { fault } from '../errors.ts'
import type { Registered } from '../registry/registry.ts'
import { checkReach } from './check-reach.ts'
import { admitCode } from './code-limit.ts'
import { CODE_MS, digestOf, newCode, newLinkCode } from './code.ts'
import { filedViews, viewOf, type ContactView } from './contact-view.ts'
import { CONTACT, parseAddress, type Contact, type ContactChannel } from './contact.ts'
import type { Contacts } from './contacts.ts'
import { sendCode } from './send-code.ts'

/** A contact that waits for its code to be typed in, or for its link to be followed; or one that is verified already. */
export interface AddedContact {
  readonly contact: ContactView
  readonly created: boolean
  readonly link: { readonly url: string; readonly code: string } | null
}

export interface AddingDeps {
  readonly contacts: Contacts
  readonly optOuts: OptOuts
  /** Where a code leads to the bot; null where there is none or it does not answer. */
  readonly startLink: (code: string) => Promise<string | null>
}

/** Enough for every phone and mailbox of a person. */
const MOST_CONTACTS = 20

/** See `ContactBook.add`. Calls of one person come one after another. */
export async function addContact(
  core: Core,
  deps: AddingDeps,
  person: Person,
  { channel, address: text }: { readonly channel: ContactChannel; readonly address: string | null },
): Promise<AddedContact> {
  const address = text === null ? null : parseAddress(channel, text)
  if (address === null && (text !== null || channel !== 'telegram'))
    throw fault('publish.invalid_address', undefined, { field: 'address', in: 'body' })
  const filed = filedViews(deps.contacts.configured(person)).find((view) => view.channel === channel)
  if (filed !== undefined && filed.address === address) return { contact: filed, created: false, link: null }
  const { tenant, id: owner } = person
  const own = core.registry.list(CONTACT, tenant, owner)
  const there = own.find(({ doc }) => doc.channel === channel && doc.address === address)
  if (there !== undefined) return issueCode(core, deps, person, there)
  if (own.length >= MOST_CONTACTS) throw fault('contact.too_many')
  const now = core.clock.now()
  // A number that serves one of SMS and calls serves the other.
  const known = address !== null && deps.contacts.contactsOf(person, channel).includes(address)
  const doc = { channel, address, verifiedAt: known ? now : null, pending: null }
  const fresh = { tenant, owner, key: core.ids.next(now), doc, version: 0, changedAt: now }
  if (!known) return issueCode(core, deps, person, fresh)
  const stored = await core.registry.put(CONTACT, fresh, doc, 0)
  return { contact: viewOf(stored), created: true, link: null }
}

/**
 * Gives a contact that is not verified a code, or a link, in place of the one before; a contact of version 0 comes to
 * be with it. Faults: `contact.unreachable`, `contact.too_many_codes`; nothing has changed then.
 */
export async function issueCode(
  core: Core,
  deps: AddingDeps,
  person: Person,
  own: Registered<Contact>,
): Promise<AddedContact> {
  const { channel, address, verifiedAt } = own.doc
  if (verifiedAt !== null) return { contact: viewOf(own), created: false, link: null }
  const now = core.clock.now()
  const created = own.version === 0
  const digest = (code: string, messageId: string | null) => ({
    pending: { digest: digestOf(code), expiresAt: now + CODE_MS, tries: 0, messageId },
  })
  const put = (changes: Partial<Contact>) =>
    core.registry.put(CONTACT, own, { ...own.doc, ...changes }, own.version)
  if (address === null) {
    const code = newLinkCode()
    const url = await deps.startLink(code)
    if (url === null)
      throw fault('contact.unreachable', 'Telegram is not live here, or the bot does not answer')
    await admitCode(core.registry, person, null, now)
    return { contact: viewOf(await put(digest(code, null))), created, link: { url, code } }
  }
  checkReach(core.config().channels, deps.optOuts, person.tenant, { channel, address })
  await admitCode(core.registry, person, address, now)
  const code = newCode()
  const messageId = core.ids.next(now)
  const waiting = await put(digest(code, messageId))
  await sendCode(core, person, { messageId, channel, address, code, now })
  return { contact: viewOf(waiting), created, link: null }
}
