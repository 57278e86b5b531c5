import { expect } from 'chai'
import { Gate } from '../../src/router/gate.ts'
import { turn } from '../support/fake-clock.ts'

describe('gate', () => {
  it('runs at most its limit at once and the rest in the order they came (R46)', async () => {
    const gate = new Gate(3)
    const started: number[] = []
    const ends: (() => void)[] = []
    let running = 0
    let most = 0
    const all = Array.from({ length: 10 }, (_, index) =>
      gate.run(async () => {
        started.push(index)
        most = Math.max(most, ++running)
        await new Promise<void>((resolve) => ends.push(resolve))
        running -= 1
        return index
      }),
    )
    await turn()
    expect(started).to.deep.equal([0, 1, 2])
    // The second of the three ends first; its place goes to number 3.
    ends[1]?.()
    await turn()
    expect(started).to.deep.equal([0, 1, 2, 3])
    for (let index = 0; index < 10; index += 1) {
      ends[index]?.()
      await turn()
    }
    expect(await Promise.all(all)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(started).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(most).to.equal(3)
  })

  it('frees the place of a task that fails, also of one that throws at once', async () => {
    const gate = new Gate(1)
    const failures = [
      gate.run(() => {
        throw new Error('at once')
      }),
      gate.run(() => Promise.reject(new Error('later'))),
    ].map((task) => task.then(String, (error: unknown) => String(error)))
    expect(await Promise.all(failures)).to.deep.equal(['Error: at once', 'Error: later'])
    expect(await gate.run(() => 'free')).to.equal('free')
  })

  it('does not let a newcomer take the place of one who waits, or run beside it', async () => {
    const gate = new Gate(1)
    const order: string[] = []
    const ends: (() => void)[] = []
    const task = (name: string) => () => {
      order.push(name)
      return new Promise<void>((resolve) => ends.push(resolve))
    }
    const all = [gate.run(task('first')), gate.run(task('second'))]
    ends[0]?.()
    await all[0]
    all.push(gate.run(task('third')))
    await turn()
    expect(order).to.deep.equal(['first', 'second'])
    ends[1]?.()
    await turn()
    expect(order).to.deep.equal(['first', 'second', 'third'])
    ends[2]?.()
    await Promise.all(all)
  })
})
