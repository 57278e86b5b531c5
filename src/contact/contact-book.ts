import { addContact, issueCode, type AddedContact, type AddingDeps } from './add-contact.ts'
import { contactViews, ownContact, type ContactView } from './contact-view.ts'
import { CONTACT, type ContactChannel } from './contact.ts'
import type { Core } from '../core.ts'
import type { Person } from '../directory/directory.ts'
import { fault } from '../errors.ts'
import { followLink, verifyContact } from './verify-contact.ts'

/**
 * What people do to their own contacts. Everything resolves after its commit; a crash between the commit of a code and
 * that of its message costs the person one more request for a code.
 */
export interface ContactBook {
  list(person: Person): readonly ContactView[]
  /**
   * Adds an address and sends its code there; without an address, on Telegram, gives a link instead. An address that is
   * there already gets a new code, one that is verified stays as it is. Another person may have the same address:
   * control rooms share phones. Faults: `publish.invalid_address`, `contact.unreachable`, `contact.too_many`,
   * `contact.too_many_codes`; nothing is added then.
   */
  add(person: Person, channel: ContactChannel, address: string | null): Promise<AddedContact>
  /** A new code, or link, for a contact that is not verified; the code before it is good for nothing any more. */
  again(person: Person, id: string): Promise<AddedContact>
  /**
   * Verifies the contact, and with it every other one of the person with the same phone number (behaviour E20). Faults:
   * `contact.wrong_code` with `tries_left`, `contact.no_code`.
   */
  verify(person: Person, id: string, code: string): Promise<ContactView>
  /** From the commit on nothing is sent there, neither what was planned before. Faults: `record.read_only`. */
  remove(person: Person, id: string): Promise<void>
  /** A link was followed in this private chat. Resolves with the name of its person, null for a link that is none. */
  followLink(code: string, chatId: number): Promise<string | null>
}

export function createContactBook(core: Core, deps: AddingDeps): ContactBook {
  const { registry } = core
  const { contacts } = deps
  const inTurn = <T>(person: Person, task: () => Promise<T>) => core.inTurn(`contacts ${person.id}`, task)
  return {
    list: (person) => contactViews(registry, contacts.configured(person)),
    add: (person, channel, address) =>
      inTurn(person, () => addContact(core, deps, person, { channel, address })),
    again: (person, id) =>
      inTurn(person, async () => issueCode(core, deps, person, ownContact(registry, person, id))),
    verify: (person, id, code) => inTurn(person, () => verifyContact(core, person, id, code)),
    remove: (person, id) =>
      inTurn(person, async () => {
        const views = contactViews(registry, contacts.configured(person))
        if (views.some((view) => view.id === id && view.source === 'file')) throw fault('record.read_only')
        await registry.remove(CONTACT, ownContact(registry, person, id))
      }),
    async followLink(code, chatId) {
      const linked = contacts.linkedBy(code)
      const person = linked && core.directory().user(linked.owner)
      if (linked === undefined || person?.tenant !== linked.tenant) return null
      const known = contacts.contactsOf(person, 'telegram').includes(String(chatId))
      return inTurn(person, () => followLink(core, person, { id: linked.key, code, chatId, known }))
    },
  }
}
