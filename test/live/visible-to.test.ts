import { expect } from 'chai'
import type { TenantId } from '../../src/access/principal.ts'
import { visibleTo } from '../../src/live/visible-to.ts'
import { memoryInbox, type NotificationDraft } from '../support/memory-inbox.ts'
import { person } from './harness.ts'

const ACME = 'acme' as TenantId

describe('who sees a notification live', () => {
  const table: readonly [string, NotificationDraft, boolean][] = [
    ['a personal one of their own', { to: 'anna' }, true],
    ['a personal one of somebody else', { to: 'bob' }, false],
    ['one that the plan keeps off realtime', { to: 'anna', content: { channels: ['email', 'push'] } }, false],
    ['a broadcast to everybody', {}, true],
    ['a broadcast to one of their groups', { audience: ['sales', 'ops'] }, true],
    ['a broadcast to other groups', { audience: ['sales'] }, false],
    ['a broadcast of another tenant', { tenant: ACME }, false],
    ['a personal one of another tenant', { tenant: ACME, to: 'anna' }, false],
  ]
  for (const [what, draft, seen] of table)
    it(`${seen ? 'includes' : 'leaves out'} ${what}`, () => {
      expect(visibleTo(memoryInbox().commit(draft), person('anna', 'ops'))).to.equal(seen)
    })
})
