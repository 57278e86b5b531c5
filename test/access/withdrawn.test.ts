import { expect } from 'chai'
import { withdrawn } from '../../src/access/withdrawn.ts'
import { fakeDirectory, machine, OTHER_TENANT, person } from '../support/fake-directory.ts'

describe('the access of a connection after a change of the configuration (security rows 3 and 8)', () => {
  const anna = person('anna', { password: 'secret', groups: ['ops'] })
  const sensor = machine('sensor', { publish: ['plant/#'] })
  const before = fakeDirectory([anna], [sensor])
  const table = [
    { change: 'nothing', people: [anna], machines: [sensor], ends: [] },
    { change: 'a name', people: [{ ...anna, name: 'Anna K.' }], machines: [sensor], ends: [] },
    {
      change: 'a rate limit',
      people: [anna],
      machines: [{ ...sensor, rateLimit: { maxRequests: 1, windowMs: 1 } }],
      ends: [],
    },
    { change: 'a person more', people: [anna, person('bob')], machines: [sensor], ends: [] },
    { change: 'a password', people: [{ ...anna, password: 'other' }], machines: [sensor], ends: ['anna'] },
    {
      change: 'a role',
      people: [{ ...anna, roles: ['user', 'ops'] as const }],
      machines: [sensor],
      ends: ['anna'],
    },
    { change: 'a group', people: [{ ...anna, groups: [] }], machines: [sensor], ends: ['anna'] },
    { change: 'a tenant', people: [{ ...anna, tenant: OTHER_TENANT }], machines: [sensor], ends: ['anna'] },
    { change: 'a person less', people: [], machines: [sensor], ends: ['anna'] },
    {
      change: 'a token',
      people: [anna],
      machines: [machine('sensor', { publish: ['plant/#'], token: 'new' })],
      ends: ['sensor'],
    },
    { change: 'a grant', people: [anna], machines: [{ ...sensor, publish: [] }], ends: ['sensor'] },
    { change: 'a client less', people: [anna], machines: [], ends: ['sensor'] },
  ]
  for (const { change, people, machines, ends } of table) {
    it(`ends for ${ends.join() || 'nobody'} when it is ${change} that changes`, () => {
      expect(withdrawn(['anna', 'sensor'], before, fakeDirectory(people, machines))).to.deep.equal(ends)
    })
  }
})
