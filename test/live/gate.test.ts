import { expect } from 'chai'
import { createGate } from '../../src/live/gate.ts'
import { turn } from '../support/fake-clock.ts'

describe('the gate before the store', () => {
  it('runs so many tasks at once and the rest in order, whether they succeed or fail', async () => {
    const gate = createGate(2)
    const started: number[] = []
    const ends: (() => void)[] = []
    const tasks = [0, 1, 2, 3, 4].map((number) =>
      gate(
        () =>
          new Promise<number>((resolve, reject) => {
            started.push(number)
            ends[number] = () => (number % 2 === 0 ? resolve(number) : reject(new Error(`${number} failed`)))
          }),
      ).catch((error: Error) => error.message),
    )
    await turn()
    expect(started).to.deep.equal([0, 1])
    ends[1]?.()
    await turn()
    expect(started).to.deep.equal([0, 1, 2])
    ends[0]?.()
    ends[2]?.()
    await turn()
    ends[3]?.()
    ends[4]?.()
    expect(await Promise.all(tasks)).to.deep.equal([0, '1 failed', 2, '3 failed', 4])
  })

  it('lets thousands wait and is free again after them', async () => {
    const gate = createGate(1)
    const order: number[] = []
    await Promise.all(
      Array.from({ length: 5000 }, (_, number) => gate(() => Promise.resolve(void order.push(number)))),
    )
    expect(order).to.deep.equal(order.toSorted((a, b) => a - b))
    expect(await gate(() => Promise.resolve('free'))).to.equal('free')
  })

  it('lets other work go on while a long queue passes through quickly', async () => {
    const gate = createGate(1)
    let passed = 0
    const all = Array.from({ length: 1000 }, () => gate(() => Promise.resolve(void (passed += 1))))
    await turn()
    expect(passed).to.be.lessThan(500)
    await Promise.all(all)
    expect(passed).to.equal(1000)
  })
})
