import { expect } from 'chai'
import type { OperatorAlarm } from '../src/alert/operator-alarm.ts'
import { createConservationWatch } from '../src/conservation-watch.ts'
import { DELIVERY_STATES } from '../src/delivery/delivery.ts'
import { createMetrics } from '../src/metrics.ts'
import type { Store } from '../src/store/store.ts'

describe('The watch over conservation', () => {
  it('tells the operators when it is broken twice in a row, and when it is whole again (P4)', async () => {
    const told: string[] = []
    const operatorAlarm: OperatorAlarm = Object.assign((cause: string) => void told.push(cause), {
      over: (cause: string) => void told.push(`over ${cause}`),
      found() {},
    })
    let broken = 0
    const asked: unknown[] = []
    const deliveries = Object.fromEntries(DELIVERY_STATES.map((state, index) => [state, index]))
    const conservation: Store['conservation'] = (of) => {
      asked.push(of)
      return Promise.resolve({ broken, accepted: 0, deadLetters: 0, deliveries: deliveries as never })
    }
    const metrics = createMetrics()
    // The watch asks for nothing else of the store.
    const store = { conservation } as unknown as Store
    const watch = createConservationWatch({ store, metrics, operatorAlarm })
    const looks: [number, string[]][] = [
      [0, ['over conservation']],
      [3, []],
      [0, ['over conservation']],
      [2, []],
      [2, ['conservation']],
      [0, ['over conservation']],
    ]
    for (const [found, expected] of looks) {
      broken = found
      await watch()
      expect(told.splice(0)).to.deep.equal(expected)
      expect((await metrics.conservationBroken.get()).values[0]?.value).to.equal(found)
    }
    expect(new Set(asked)).to.deep.equal(new Set(['moving']))
    const { values } = await metrics.deliveriesByState.get()
    expect(values.map(({ labels, value }) => [labels.state, value])).to.deep.equal(
      DELIVERY_STATES.map((state, index) => [state, index]),
    )
  })
})
