import { expect } from 'chai'
import { setImmediate as turn } from 'node:timers/promises'
import type { Outcome } from '../../src/router/publish.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { connectPacket, eventually, publishPacket, startBroker, STORED, testDoor } from './harness.ts'

describe('closing the broker (P27)', () => {
  it('waits for what is being stored, acknowledges it, and accepts and reads nothing more', async () => {
    const door = testDoor()
    const settle: ((outcome: Outcome) => void)[] = []
    door.receive = (_, submitted) => {
      submitted()
      return new Promise((resolve) => settle.push(resolve))
    }
    const t = await startBroker({ door })
    const raw = t.raw()
    raw.send(
      connectPacket('c'),
      publishPacket('routed/1', 'a', { qos: 1, id: 1 }),
      publishPacket('routed/1', 'b', { qos: 2, id: 2 }),
    )
    await eventually(() => settle.length === 2)
    let closed = false
    const closing = t.broker.close(10_000).then(() => (closed = true))
    const late = t.raw()
    await late.closed
    raw.send(publishPacket('routed/1', 'c', { qos: 1, id: 3 }))
    for (let round = 0; round < 20; round++) await turn()
    expect(closed).to.equal(false)
    for (const resolve of settle) resolve(STORED)
    await Promise.all([closing, raw.closed])
    expect(raw.bytes().toString('hex')).to.equal('200200004002000150020002')
    expect(settle).to.have.length(2)
  })

  it('waits no longer than the grace, and acknowledges nothing that is not stored', async () => {
    const clock = fakeClock()
    const door = testDoor()
    let asked = false
    door.receive = () => {
      asked = true
      return new Promise(() => {})
    }
    const t = await startBroker({ door, clock })
    const raw = t.raw()
    raw.send(connectPacket('c'), publishPacket('routed/1', 'a', { qos: 1, id: 1 }))
    await eventually(() => asked)
    const closing = t.broker.close(10_000)
    await clock.pass(9999)
    expect(raw.socket.destroyed).to.equal(false)
    await clock.pass(1)
    await Promise.all([closing, raw.closed])
    expect(raw.bytes().toString('hex')).to.equal('20020000')
  })
})
