import { expect } from 'chai'
import type { Device } from '../support/device.ts'
import { harness, type Harness } from '../support/harness.ts'

describe('domain events (X18)', () => {
  let program: Harness
  before(async () => {
    program = await harness()
  })
  after(() => program.close())

  it('take any JSON, whatever its fields are called and hold', async () => {
    for (const body of [
      { id: 42 },
      { id: 'a b/c' },
      { type: 'x'.repeat(200) },
      [1, 2],
      'null',
      '"text"',
      '7',
    ]) {
      const outcome = await program.publish('events/order/changed', body)
      expect(outcome.kind, JSON.stringify(body)).to.equal('stored')
    }
  })

  it('of two types may name the same thing, and a resend of one counts once', async () => {
    const duplicates: boolean[] = []
    for (const topic of ['events/order/created', 'events/order/paid', 'events/order/paid']) {
      const outcome = await program.publish(topic, { id: 'o-1' })
      duplicates.push(outcome.kind === 'stored' && outcome.duplicate)
    }
    expect(duplicates).to.deep.equal([false, false, true])
  })

  it('are for the person they name, by a number as well, and for nobody else (X18)', async () => {
    const own = await harness({ config: { users: { '42': { password: '42-password' } } } })
    try {
      const people = new Map<string, Device>()
      for (const id of ['42', 'anna']) {
        const person = await own.client(id)
        await person.subscribe(`users/${id}/events/#`)
        people.set(id, person)
      }
      const emitted = [42, '42', 43, { id: 42 }].map((user_id, order) => ({ user_id, order }))
      for (const data of emitted) await own.accepted('events/order/completed', data)
      await own.accepted('events/order/completed', { order: 'for everybody' })
      const heard = async (id: string) => {
        await people.get(id)?.caughtUp()
        return people.get(id)?.received.map(({ body }) => body?.['data'])
      }
      const everybodys = { order: 'for everybody' }
      expect(await heard('42')).to.deep.equal([emitted[0], emitted[1], everybodys])
      expect(await heard('anna')).to.deep.equal([everybodys])
    } finally {
      await own.close()
    }
  })
})

describe('what comes over a live connection', () => {
  let program: Harness
  before(async () => {
    program = await harness()
  })
  after(() => program.close())

  it('names its reader in a broadcast (R21), and is retained only when a subscription begins', async () => {
    const bob = await program.client('bob')
    await bob.subscribe('users/bob/notifications')
    await bob.subscribe('users/bob/unread')
    await bob.count('users/bob/unread', 1)
    await program.accepted('notifications/realtime/broadcast', { message: 'To all' })
    expect((await bob.first(({ topic }) => topic.endsWith('/notifications'))).body?.['user_id']).to.equal(
      'bob',
    )
    await program.pass(1000)
    expect((await bob.count('users/bob/unread', 2)).map(({ retain }) => retain)).to.deep.equal([true, false])
  })

  it('asks for an acknowledgement of critical alerts only (R23, R32)', async () => {
    const people = await Promise.all(['anna', 'bob', 'cem'].map((id) => program.client(id)))
    for (const [index, id] of ['anna', 'bob', 'cem'].entries())
      await people[index]?.subscribe(`users/${id}/alerts`)
    await program.raise('alerts/warning/disk')
    await program.raise('alerts/critical/fire')
    await program.quiet()
    for (const person of people) await person.caughtUp()
    const pages = people.flatMap((person) => person.received).filter(({ topic }) => topic.endsWith('/alerts'))
    const asked = pages.map(({ body }) => [String(body?.['type']), body?.['requires_acknowledgment']])
    expect(Object.fromEntries(asked)).to.deep.equal({ critical_alert: true, warning_alert: false })
  })
})
