import { expect } from 'chai'
import type { Preferences } from '../../src/directory/directory.ts'
import { createPersonalPreferences } from '../../src/preferences/personal-preferences.ts'
import type { Preference } from '../../src/preferences/preference.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import { DEFAULT_TENANT, OTHER_TENANT, person } from '../support/fake-directory.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { memoryRecords } from '../support/memory-records.ts'
import { row, told } from './rows.ts'

const OFF: Preferences = { realtime: false, email: false, sms: false, push: false }

describe('what people have said about how they want to be told', () => {
  const anna = person('anna')
  const started = (records = memoryRecords()) =>
    createPersonalPreferences(createRegistry(records, fakeClock()))

  it('is nothing at first, but that mail needs to be asked for (X14)', () => {
    const preferences = started()
    expect(preferences.rows(anna)).to.deep.equal([])
    expect(preferences.wishes(anna, { category: 'crm' })).to.deep.equal({ channels: new Map(), optIn: false })
    expect(preferences.wishes(anna, { category: 'mail' })).to.deep.equal({ channels: new Map(), optIn: true })
  })

  it('counts from the commit of a change on, for that person of that tenant only (C17)', async () => {
    const preferences = started()
    const about = (id: string, tenant = DEFAULT_TENANT) =>
      preferences.wishes({ id, tenant }, { event: 'payment.received' }).channels.get('email')?.enabled
    await preferences.change(anna, () => [row('-payment.*')])
    expect([about('anna'), about('bob'), about('anna', OTHER_TENANT)]).to.deep.equal([
      false,
      undefined,
      undefined,
    ])
    await preferences.change(anna, (rows) => [...rows, row('+payment.received')])
    expect(about('anna')).to.equal(true)
  })

  const live: readonly [
    what: string,
    rows: readonly string[],
    switches: Preferences,
    message: object,
    seen: boolean,
  ][] = [
    ['by the switch', [], anna.preferences, {}, true],
    ['by the switch', [], OFF, {}, false],
    ['by a row before the switch', ['-news:realtime'], anna.preferences, { type: 'news' }, false],
    ['by a row before the switch', ['+news:realtime'], OFF, { type: 'news' }, true],
    ['by no row about another channel', ['-news:email'], anna.preferences, { type: 'news' }, true],
    ['by a row for the customer', ['-*:realtime@acme'], anna.preferences, { customerId: 'acme' }, false],
    [
      'by no row for another customer',
      ['-*:realtime@acme'],
      anna.preferences,
      { customerId: 'globex' },
      true,
    ],
    ['of mail by nothing but a row', [], anna.preferences, { category: 'mail' }, false],
    ['of mail by a row', ['+mail:realtime'], OFF, { category: 'mail' }, true],
  ]
  for (const [what, rows, switches, message, seen] of live) {
    it(`${seen ? 'shows' : 'hides'} a live message ${what} (R19, R28, X34)`, async () => {
      const preferences = started()
      if (rows.length > 0) await preferences.change(anna, () => rows.map(row))
      expect(preferences.wantsLive({ ...anna, preferences: switches }, message)).to.equal(seen)
    })
  }

  it('is unchanged by a change that throws, and by one that the store does not take', async () => {
    const records = memoryRecords()
    const preferences = started(records)
    await preferences.change(anna, () => [row('-a')])
    const outcome = (change: (rows: readonly Preference[]) => readonly Preference[]) =>
      preferences.change(anna, change).then(told, (error: Error) => error.message)
    const refuse = () => {
      throw new Error('refused')
    }
    expect(await outcome(refuse)).to.equal('refused')
    const { putRecord } = records
    records.putRecord = () => Promise.reject(new Error('disk full'))
    expect(await outcome(() => [])).to.equal('disk full')
    records.putRecord = putRecord
    expect(told(preferences.rows(anna))).to.deep.equal(['-a:email'])
    expect(await outcome((rows) => [...rows, row('-b')])).to.deep.equal(['-a:email', '-b:email'])
  })

  it('refuses a change made on what another node has replaced meanwhile, instead of losing that (C06)', async () => {
    const records = memoryRecords()
    const [here, there] = [started(records), started(records)]
    await there.change(anna, () => [row('-a')])
    const failed = await here.change(anna, () => [row('-b')]).catch((error: unknown) => error)
    expect(failed).to.include({ code: 'record.stale' })
    expect(told(there.rows(anna))).to.deep.equal(['-a:email'])
  })
})
