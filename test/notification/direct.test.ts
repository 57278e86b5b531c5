import { expect } from 'chai'
import type { Core } from '../../src/core.ts'
import { acceptDirect } from '../../src/notification/direct.ts'
import type { Arrival } from '../../src/router/arrival.ts'
import type { Acceptance } from '../../src/store/store.ts'

const NOW = Date.UTC(2026, 0, 5, 12)

describe('messages to addresses', () => {
  it('are leased only as far as they start at once: a crash must not make the others look as if they were sent (P9)', async () => {
    const accepted: Acceptance[] = []
    const woken: string[] = []
    const core = {
      ids: { next: () => 'd1' },
      laneOf: (channel: string) => channel,
      worker: { room: () => 2, take: () => {}, wake: (lane: string) => woken.push(lane) },
      store: {
        accept: (acceptance: Acceptance) => {
          accepted.push(acceptance)
          return Promise.resolve({ kind: 'accepted', seqs: [], alert: null, leases: [] })
        },
      },
      receipts: { accepted: () => {} },
    } as unknown as Core
    const arrival = {
      publish: {
        principal: { id: 'shop', tenant: 'default' },
        topic: 'notifications/email/batch',
        fingerprint: null,
      },
      messageId: 'm1',
      named: false,
      now: NOW,
      submitted: () => {},
    } as unknown as Arrival
    const messages = ['a', 'b', 'c', 'd'].map((name) => ({
      address: `${name}@example.org`,
      subject: 'Hello',
      text: 'Hello',
      priority: 'normal' as const,
    }))
    await acceptDirect(core, arrival, { kind: 'direct', channel: 'email', shape: 'batch', messages })
    const leases = accepted[0]?.deliveries.map(({ lease, dueAt }) => [lease !== null, dueAt === NOW])
    expect(leases).to.deep.equal([
      [true, true],
      [true, true],
      [false, true],
      [false, true],
    ])
    expect(woken).to.include('email')
  })
})
