import { expect } from 'chai'
import type { Decision } from '#engine'
import { auth, type AuthOptions } from '../../middleware/auth.ts'
import type { Principal } from '../../src/access/principal.ts'
import { fakeContext, principal, type FakeContextOptions } from '../support/fake-context.ts'

const done: Decision = { kind: 'drop', reason: 'test' }

async function outcomeOf(
  who: Principal,
  options: AuthOptions,
  context: FakeContextOptions = {},
): Promise<string> {
  const result = auth(options)({ ...fakeContext(context), principal: who }, async () => done)
  return result.then(
    () => 'passed',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  )
}

describe('auth', () => {
  it('lets a person act in their own name only, whatever the payload says (R39, fault 9)', async () => {
    const table: [who: Principal, userId: string, outcome: string][] = [
      [principal('anna', { kind: 'user', roles: ['user'] }), 'anna', 'passed'],
      [principal('anna', { kind: 'user', roles: ['user'] }), 'bob', 'publish.forbidden'],
      [principal('anna', { kind: 'user', roles: ['user', 'ops'] }), 'bob', 'passed'],
      [principal('anna', { kind: 'user', roles: ['admin'] }), 'bob', 'passed'],
      [principal('gateway', { roles: ['service'] }), 'bob', 'publish.forbidden'],
      [principal('anna', { kind: 'user', roles: ['user'] }), 'Anna', 'publish.forbidden'],
    ]
    for (const [who, userId, outcome] of table) {
      const context = { params: { userId }, body: { user_id: who.id, principal: who.id } }
      expect(await outcomeOf(who, { self: 'userId' }, context), `${who.id} as ${userId}`).to.equal(outcome)
    }
  })

  it('lets only operators through where the route has no such parameter', async () => {
    expect(await outcomeOf(principal('anna'), { self: 'userId' })).to.equal('publish.forbidden')
    expect(await outcomeOf(principal('anna', { roles: ['ops'] }), { self: 'userId' })).to.equal('passed')
  })

  it('without `self` leaves the choice of topics to the grants', async () => {
    expect(await outcomeOf(principal('db-monitor'), {}, { params: { userId: 'bob' } })).to.equal('passed')
  })

  it('refuses a publish long after its proof has ended, but not the will that an ended connection leaves', async () => {
    const expiresAt = 1_000_000
    const who = principal('anna', { expiresAt })
    expect(await outcomeOf(who, {}, { now: expiresAt - 1 })).to.equal('passed')
    expect(await outcomeOf(who, {}, { now: expiresAt + 5000 })).to.equal('passed')
    expect(await outcomeOf(who, {}, { now: expiresAt + 60_000 })).to.equal('auth.expired')
  })
})
