import { expect } from 'chai'
import { digestOf } from '../../src/contact/code.ts'
import { CONTACT, parseAddress, type Contact, type ContactChannel } from '../../src/contact/contact.ts'
import { createContacts } from '../../src/contact/contacts.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { DEFAULT_TENANT, fakeDirectory, OTHER_TENANT, person } from '../support/fake-directory.ts'
import { memoryRecords } from '../support/memory-records.ts'

const ANNA = person('anna', { groups: ['ops'], roles: ['admin'] })
const BOB = person('bob', {
  groups: ['ops'],
  email: 'Bob <bob@example.org>',
  phone: '+4915112345672',
  telegramChatId: 12,
})

function setUp() {
  const registry = createRegistry(memoryRecords(), fakeClock())
  const contacts = createContacts(registry)
  const base = fakeDirectory([ANNA, BOB])
  const put = (key: string, given: Partial<Contact>, owner = 'anna', tenant = DEFAULT_TENANT) =>
    registry.put(
      CONTACT,
      { tenant, owner, key },
      { channel: 'sms', address: '+4915112345679', verifiedAt: 1, pending: null, ...given },
    )
  return { registry, contacts, directory: contacts.over(base), base, put }
}

describe('Where people can be reached', () => {
  it('is what the configuration says, first, and then what they verified, in its order', async () => {
    const { contacts, put } = setUp()
    await put('1', { address: '+4915112345678' }, 'bob')
    await put('2', { channel: 'voice', address: '+4915112345679' }, 'bob')
    await put('3', { channel: 'voice', address: '+4915112345672' }, 'bob')
    await put('4', { channel: 'email', address: 'b@example.org', verifiedAt: null }, 'bob')
    const of = (channel: ContactChannel) => contacts.contactsOf(BOB, channel)
    const phones = ['+4915112345672', '+4915112345678', '+4915112345679']
    expect([of('sms'), of('voice'), of('email'), of('telegram')]).to.deep.equal([
      phones,
      phones,
      ['bob@example.org'],
      ['12'],
    ])
    expect(contacts.contactsOf(ANNA, 'sms')).to.deep.equal([])
  })

  it('gives who has no address in the configuration the first verified one, everywhere', async () => {
    const { contacts, directory, put, registry } = setUp()
    await put('1', {})
    await put('2', { address: '+4915112345678' })
    await put('3', { channel: 'email', address: 'anna@example.org' })
    await put('4', { channel: 'telegram', address: '11' })
    const reached = { phone: '+4915112345679', email: 'anna@example.org', telegramChatId: 11 }
    const anna = directory.user('anna')
    expect(anna).to.include(reached)
    expect(directory.users(DEFAULT_TENANT)).to.deep.equal([anna, BOB])
    expect(directory.group(DEFAULT_TENANT, 'ops')?.[0]).to.equal(anna)
    expect(directory.admins(DEFAULT_TENANT)).to.deep.equal([anna])
    expect(anna && contacts.configured(anna)).to.equal(ANNA)
    expect(contacts.peopleAt(directory, 'voice', '+4915112345678')).to.deep.equal([anna])
    await registry.remove(CONTACT, { tenant: DEFAULT_TENANT, owner: 'anna', key: '1' })
    expect(directory.user('anna')).to.include({ phone: '+4915112345678' })
    expect(directory.group(DEFAULT_TENANT, 'ops')?.[0]).to.include({ phone: '+4915112345678' })
    for (const key of ['2', '3', '4'])
      await registry.remove(CONTACT, { tenant: DEFAULT_TENANT, owner: 'anna', key })
    expect(directory.user('anna')).to.equal(ANNA)
  })

  it('leaves people without verified contacts, and lists of such, the very same objects', async () => {
    const { base, directory, put } = setUp()
    await put('1', { verifiedAt: null })
    await put('2', {}, 'somebody who left')
    await put('3', {}, 'bob', OTHER_TENANT)
    const list = [ANNA, BOB]
    const kept = createContacts(createRegistry(memoryRecords(), fakeClock())).over({
      ...base,
      users: () => list,
    })
    expect(kept.users(DEFAULT_TENANT)).to.equal(list)
    expect(directory.user('anna')).to.equal(ANNA)
    expect(directory.user('bob')).to.equal(BOB)
    expect(directory.user('nobody')).to.equal(undefined)
    expect(directory.group(DEFAULT_TENANT, 'ops')).to.deep.equal(list)
    await put('4', {})
    expect(directory.user('anna')).to.equal(directory.user('anna'))
    expect(directory.user('bob')).to.equal(BOB)
  })

  it('knows a start that finds contacts, and links by their codes only while they are waited for', async () => {
    const { contacts, registry, put } = setUp()
    const pending = { digest: digestOf('secret'), expiresAt: 9, tries: 0, messageId: null }
    await put('1', { channel: 'telegram', address: null, verifiedAt: null, pending })
    await put('2', {
      address: '+4915112345678',
      verifiedAt: null,
      pending: { ...pending, digest: digestOf('123456') },
    })
    expect(contacts.linkedBy('secret')).to.include({ owner: 'anna', key: '1' })
    expect(createContacts(registry).linkedBy('secret')).to.include({ key: '1' })
    expect(contacts.linkedBy('123456')).to.equal(undefined)
    await put('1', { channel: 'telegram', address: '11', verifiedAt: 2 })
    expect(contacts.linkedBy('secret')).to.equal(undefined)
    expect(createContacts(registry).contactsOf(ANNA, 'telegram')).to.deep.equal(['11'])
  })

  const addresses: readonly [ContactChannel, text: string, address: string | null][] = [
    ['email', 'Anna <anna@example.org>', 'anna@example.org'],
    ['email', 'anna@example.org\r\nBcc: eve@example.org', null],
    ['sms', '+49 151 1234-5679', '+4915112345679'],
    ['sms', '0151 12345679', null],
    ['voice', '+499001234567', null],
    ['telegram', '4714', '4714'],
    ['telegram', '-4714', null],
    ['telegram', '99999999999999999', null],
    ['telegram', '@anna', null],
  ]
  for (const [channel, text, address] of addresses)
    it(`reads ${JSON.stringify(text)} on ${channel} as ${address ?? 'no address'} (security 20, 21)`, () =>
      expect(parseAddress(channel, text)).to.equal(address))
})
