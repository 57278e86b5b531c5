import { expect } from 'chai'
import { CONTACT } from '../../src/contact/contact.ts'
import { createContacts } from '../../src/contact/contacts.ts'
import { createWithheld, type Withheld } from '../../src/contact/withheld.ts'
import { createOptOuts } from '../../src/delivery/answers/opt-outs.ts'
import type { PlannedDelivery } from '../../src/delivery/plan.ts'
import { randomIds } from '../../src/ids.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { DEFAULT_TENANT, fakeDirectory, OTHER_TENANT, person } from '../support/fake-directory.ts'
import { memoryRecords } from '../support/memory-records.ts'
import { planned } from '../support/messages.ts'

const FILED = '+4915112345671'
const OWN = '+4915112345679'
const GONE = '+4915112345678'
const EXPIRES = 1000

describe('A message right before its attempt', () => {
  const setUp = async () => {
    const clock = fakeClock()
    const registry = createRegistry(memoryRecords(), clock)
    const optOuts = createOptOuts(registry, clock, randomIds())
    const directory = fakeDirectory([person('anna', { phone: FILED })])
    const contacts = createContacts(registry)
    const owned = { tenant: DEFAULT_TENANT, owner: 'anna' }
    const contact = { channel: 'sms', address: OWN, verifiedAt: 1, pending: null } as const
    const pending = { digest: '', expiresAt: EXPIRES, tries: 0, messageId: 'counts' }
    await registry.put(CONTACT, { ...owned, key: '1' }, contact)
    await registry.put(
      CONTACT,
      { ...owned, key: '2' },
      { ...contact, address: GONE, verifiedAt: null, pending },
    )
    const withheld = createWithheld({ registry, directory: () => directory, contacts, optOuts })
    return { withheld, optOuts }
  }
  const page = { userId: 'anna', channel: 'sms', tenant: DEFAULT_TENANT } as const
  const code = {
    ...page,
    purpose: 'code',
    subjectKind: 'direct',
    address: GONE,
    subjectId: 'counts',
  } as const
  const REMOVED: Withheld = { state: 'cancelled', reason: 'contact_removed' }
  const WITHDRAWN: Withheld = { state: 'cancelled', reason: 'code_withdrawn' }

  const rows: readonly [title: string, Partial<PlannedDelivery>, now: number, Withheld | null][] = [
    ['goes to the number of the configuration', { ...page, address: FILED }, 0, null],
    ['goes to a verified number', { ...page, address: OWN }, 0, null],
    ['goes to it as a call, too', { ...page, channel: 'voice', address: OWN }, 0, null],
    [
      'does not go to a number that is not verified (N12)',
      { ...page, channel: 'voice', address: GONE },
      0,
      REMOVED,
    ],
    ['does not go to a removed mailbox', { ...page, channel: 'email', address: 'a@example.org' }, 0, REMOVED],
    ['goes to a device, which is no contact', { ...page, channel: 'push', address: 'token' }, 0, null],
    [
      'goes to the number that somebody published to (R25)',
      { ...page, userId: null, address: GONE },
      0,
      null,
    ],
    ['goes as the code that counts', code, EXPIRES - 1, null],
    ['does not go as a code that has expired', code, EXPIRES, WITHDRAWN],
    ['does not go as a code that was replaced', { ...code, subjectId: 'before' }, 0, WITHDRAWN],
    ['is left to others when its person is unknown', { ...page, userId: 'bob', address: GONE }, 0, null],
  ]
  for (const [title, given, now, outcome] of rows)
    it(title, async () => {
      const { withheld } = await setUp()
      expect(withheld(planned(given).delivery, now)).to.deep.equal(outcome)
    })

  it('does not go as SMS to a number that answered STOP, in its tenant (E19)', async () => {
    const { withheld, optOuts } = await setUp()
    await optOuts.stop(DEFAULT_TENANT, FILED, ['anna'])
    const to = (given: Partial<PlannedDelivery>) =>
      withheld(planned({ ...page, address: FILED, ...given }).delivery, 0)
    const held = { state: 'suppressed', reason: 'opted_out' }
    expect(to({})).to.deep.equal(held)
    expect(to({ userId: null })).to.deep.equal(held)
    expect(to({ channel: 'voice' })).to.equal(null)
    expect(to({ tenant: OTHER_TENANT, userId: null })).to.equal(null)
    await optOuts.start(DEFAULT_TENANT, FILED)
    expect(to({})).to.equal(null)
  })
})
