import { expect } from 'chai'
import { createMetrics } from '../../src/metrics.ts'
import { createRates, type SharedWindows } from '../../src/nodes/rates.ts'
import { RedisLink } from '../../src/nodes/redis/link.ts'
import { createRedisWindows, TAKE_PLACE } from '../../src/nodes/redis/redis-windows.ts'
import { SlidingWindow } from '../../src/router/sliding-window.ts'
import { systemClock } from '../../src/clock.ts'
import { hasRedis, startRedis, type RedisServer } from '../support/redis-server.ts'
import { silentLog } from '../support/silent-log.ts'

const LIMIT = { maxRequests: 10, windowMs: 400 }

/** The same rule, by whichever window (R40). */
function windowConformance(name: string, open: () => Promise<readonly [SharedWindows, SharedWindows]>) {
  describe(`a rate window: ${name}`, () => {
    it('admits no more than the limit, whoever asks (R40)', async () => {
      const [a, b] = await open()
      const taken = await Promise.all(
        Array.from({ length: 25 }, (_, n) => (n % 2 === 0 ? a : b).take('who', LIMIT)),
      )
      expect(taken.filter((one) => one?.admitted)).to.have.length(10)
      expect(
        taken.flatMap((one) => (one?.admitted ? one.remaining : [])).toSorted((one, other) => one - other),
      ).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    })

    it('says when the next place is free, and admits then and not before (R40)', async () => {
      const [a] = await open()
      const clock = systemClock()
      const passing = (ms: number) => new Promise<void>((resolve) => void clock.at(clock.now() + ms, resolve))
      for (let n = 0; n < 10; n++) await a.take('when', LIMIT)
      const refused = await a.take('when', LIMIT)
      expect(refused?.admitted).to.equal(false)
      expect(refused?.freeInMs).to.be.within(1, 400)
      await passing((refused?.freeInMs ?? 0) + 1)
      expect((await a.take('when', LIMIT))?.admitted).to.equal(true)
    })

    it('counts every key by itself', async () => {
      const [a, b] = await open()
      for (let n = 0; n < 11; n++) await a.take('one', LIMIT)
      expect((await b.take('other', LIMIT))?.admitted).to.equal(true)
    })

    it('lets whoever waits in, first come first served, and tells an end of the wait (R40)', async () => {
      const [windows] = await open()
      const rates = createRates(windows)
      const clock = systemClock()
      for (let n = 0; n < 10; n++) await rates.take('line', LIMIT)
      const order: number[] = []
      const abort = new AbortController()
      const waits = [1, 2, 3].map((n) =>
        rates
          .wait({ key: 'line', limit: LIMIT, clock, signal: n === 2 ? abort.signal : undefined })
          .then(() => void order.push(n)),
      )
      expect(rates.waiting('line')).to.equal(3)
      abort.abort()
      const settled = await Promise.allSettled(waits)
      expect(settled.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled'])
      expect(order).to.deep.equal([1, 3])
      expect(rates.waiting('line')).to.equal(0)
    })
  })
}

windowConformance('in this process', async () => {
  const window = new SlidingWindow()
  const clock = systemClock()
  const windows: SharedWindows = {
    async take(key, limit) {
      const now = clock.now()
      const admitted = window.take(key, limit, now)
      const { remaining, freeAt } = window.standing(key, limit, now)
      return { admitted, remaining, freeInMs: admitted ? 0 : freeAt - now }
    },
  }
  return [windows, windows]
})

describe('rate windows over nodes', function () {
  if (!hasRedis()) {
    it.skip('needs redis-server')
    return
  }
  let server: RedisServer
  let links: RedisLink[]
  const metrics = createMetrics()
  before(async () => {
    server = await startRedis()
    const { log } = silentLog()
    links = ['a', 'b'].map((name) => new RedisLink({ url: server.url, log, name, scripts: [TAKE_PLACE] }))
    await Promise.all(links.map((link) => link.open(2000)))
  })
  after(async () => {
    for (const link of links) link.close()
    await server.stop()
  })
  windowConformance('Redis', async () => {
    server.cli('FLUSHALL')
    const { log } = silentLog()
    const [a, b] = links.map((link) => createRedisWindows(link, log, metrics))
    if (!a || !b) throw new Error('no links')
    return [a, b]
  })
})
