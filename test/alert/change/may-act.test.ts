import { expect } from 'chai'
import type { Principal, TenantId } from '../../../src/access/principal.ts'
import { mayAct } from '../../../src/alert/change/may-act.ts'
import { anAlert, aPrincipal } from '../an-alert.ts'

describe('acting on an alert (contract section 3, P16)', () => {
  const alert = anAlert({ told: { anna: ['realtime'] } })
  const elsewhere = { tenant: 'acme' as TenantId }
  const cases: readonly [who: string, principal: Principal, may: boolean][] = [
    ['somebody who was told', aPrincipal('anna'), true],
    ['a member of the owning team', aPrincipal('bob'), true],
    ['ops', aPrincipal('olga', { roles: ['ops'] }), true],
    ['an admin', aPrincipal('adam', { roles: ['user', 'admin'] }), true],
    [
      'a client, whose grant the door has checked',
      aPrincipal('button', { kind: 'client', roles: ['service'] }),
      true,
    ],
    ['a stranger', aPrincipal('mallory'), false],
    ['a stranger with the name of a property of every object', aPrincipal('constructor'), false],
    ['an admin of another tenant', aPrincipal('adam', { roles: ['admin'], ...elsewhere }), false],
    ['a client of another tenant', aPrincipal('button', { kind: 'client', ...elsewhere }), false],
  ]
  for (const [who, principal, may] of cases) {
    it(`is ${may ? 'open' : 'closed'} to ${who}`, () => {
      expect(mayAct(alert, principal, ['bob'])).to.equal(may)
    })
  }
})
