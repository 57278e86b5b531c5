import type { TenantId } from '../access/principal.ts'
import type { Directory, Person } from '../directory/directory.ts'
import type { Registered, Registry } from '../registry/registry.ts'
import { digestOf } from './code.ts'
import {
  ADDRESS_KIND,
  addressIn,
  CONTACT,
  type AddressKind,
  type Contact,
  type ContactChannel,
} from './contact.ts'

/** Where people can be reached: what the configuration says, and on top of it what they added and verified. */
export interface Contacts {
  /**
   * Every address that this person may be sent to on a channel: the one of the configuration first, then verified
   * ones in the order in which they were added. A phone number that was verified for SMS or for calls is verified for
   * both (behaviour E20).
   */
  contactsOf(person: Person, channel: ContactChannel): readonly string[]
  /** The people whom an address belongs to; phones are shared in control rooms, so that there may be several. */
  peopleAt(directory: Directory, channel: ContactChannel, address: string): readonly Person[]
  /** The person without what they added. */
  configured(person: Person): Person
  /** The contact whose Telegram link carries this code. */
  linkedBy(code: string): Registered<Contact> | undefined
  /**
   * The directory with people as they can be reached now: who has no address of a kind in the configuration gets the
   * first verified one. People without verified contacts are the very same objects, and lists without such people the
   * very same lists.
   */
  over(directory: Directory): Directory
}

interface Verified {
  readonly tenant: TenantId
  readonly addresses: Readonly<Record<AddressKind, readonly string[]>>
}

/** Follows the registry: a contact counts from the commit of its verification on, until that of its removal. */
export function createContacts(registry: Pick<Registry, 'list' | 'watch'>): Contacts {
  const verified = new Map<string, Verified>()
  const links = new Map<string, Registered<Contact>>()
  const originals = new WeakMap<Person, Person>()
  let known = { people: new WeakMap<Person, Person>(), lists: new WeakMap<object, readonly Person[]>() }

  registry.watch(CONTACT, (now, before) => {
    if (before?.doc.pending) links.delete(before.doc.pending.digest)
    if (now?.doc.pending && isLink(now.doc)) links.set(now.doc.pending.digest, now)
    const of = now ?? before
    if (of === undefined || (now?.doc.verifiedAt ?? null) === (before?.doc.verifiedAt ?? null)) return
    const own = verifiedAddresses(registry.list(CONTACT, of.tenant, of.owner))
    if (own === null) verified.delete(of.owner)
    else verified.set(of.owner, { tenant: of.tenant, addresses: own })
    known = { people: new WeakMap(), lists: new WeakMap() }
  })

  const ownOf = (person: Person) => {
    const own = verified.get(person.id)
    return own?.tenant === person.tenant ? own.addresses : undefined
  }
  const reached = (person: Person): Person => {
    const own = ownOf(person)
    if (own === undefined) return person
    let over = known.people.get(person)
    if (over === undefined) {
      known.people.set(person, (over = withOwn(person, own)))
      originals.set(over, person)
    }
    return over
  }
  const allReached = (people: readonly Person[]): readonly Person[] => {
    if (verified.size === 0) return people
    let over = known.lists.get(people)
    if (over === undefined) {
      const mapped = people.map(reached)
      over = mapped.every((person, index) => person === people[index]) ? people : mapped
      known.lists.set(people, over)
    }
    return over
  }
  const configured = (person: Person) => originals.get(person) ?? person
  const contactsOf = (person: Person, channel: ContactChannel): readonly string[] => {
    const first = addressIn(configured(person), channel)
    const own = ownOf(person)?.[ADDRESS_KIND[channel]] ?? []
    return first === null ? own : [first, ...own.filter((address) => address !== first)]
  }
  return {
    contactsOf,
    configured,
    linkedBy: (code) => links.get(digestOf(code)),
    peopleAt: (directory, channel, address) =>
      directory
        .tenants()
        .flatMap((tenant) => directory.users(tenant))
        .filter((person) => contactsOf(person, channel).includes(address)),
    over: (directory) => ({
      ...directory,
      user(id) {
        const person = directory.user(id)
        return person && reached(person)
      },
      users: (tenant) => allReached(directory.users(tenant)),
      group(tenant, name) {
        const members = directory.group(tenant, name)
        return members && allReached(members)
      },
      admins: (tenant) => allReached(directory.admins(tenant)),
    }),
  }
}

/** A link is waited for in a chat that nobody knows yet. */
function isLink({ channel, address }: Contact): boolean {
  return channel === 'telegram' && address === null
}

/** Null when there are none. */
function verifiedAddresses(contacts: readonly Registered<Contact>[]): Verified['addresses'] | null {
  const of = (kind: AddressKind) => [
    ...new Set(
      contacts.flatMap(({ doc: { channel, address, verifiedAt } }) =>
        address !== null && verifiedAt !== null && ADDRESS_KIND[channel] === kind ? [address] : [],
      ),
    ),
  ]
  const addresses = { email: of('email'), phone: of('phone'), telegram: of('telegram') }
  return Object.values(addresses).every((list) => list.length === 0) ? null : addresses
}

function withOwn(person: Person, { email, phone, telegram }: Verified['addresses']): Person {
  const [firstEmail = person.email] = email
  const [firstPhone = person.phone] = phone
  const firstChat = telegram[0] === undefined ? person.telegramChatId : Number(telegram[0])
  return {
    ...person,
    ...(person.email === undefined && firstEmail !== undefined && { email: firstEmail }),
    ...(person.phone === undefined && firstPhone !== undefined && { phone: firstPhone }),
    ...(person.telegramChatId === undefined && firstChat !== undefined && { telegramChatId: firstChat }),
  }
}
