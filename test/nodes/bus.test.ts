import { expect } from 'chai'
import { createHub, isAfter, type Bus, type BusMessage } from '../../src/nodes/bus.ts'
import { RedisLink } from '../../src/nodes/redis/link.ts'
import { createStreamBus } from '../../src/nodes/redis/stream-bus.ts'
import { until } from '../support/eventually.ts'
import { hasRedis, startRedis, type RedisServer } from '../support/redis-server.ts'
import { silentLog } from '../support/silent-log.ts'

interface Members {
  join(node: string): Promise<Bus>
  end(): Promise<void>
}

function busConformance(name: string, members: () => Promise<Members>) {
  describe(`the bus between nodes: ${name}`, () => {
    let opened: Members
    beforeEach(async () => {
      opened = await members()
    })
    afterEach(() => opened.end())

    it('tells everybody everything, the sender included, in one order', async () => {
      const a = await opened.join('a')
      const b = await opened.join('b')
      const heard = [a, b].map((bus) => {
        const list: string[] = []
        bus.hear('word', ({ body, from }) => void list.push(`${from}${String(body['n'])}`))
        return list
      })
      await Promise.all(
        Array.from({ length: 50 }, (_, n) => [a.send('word', { n }), b.send('word', { n })]).flat(),
      )
      await until(() => heard.every((list) => list.length === 100))
      expect(heard[0]).to.deep.equal(heard[1])
      expect(heard[0]?.filter((word) => word.startsWith('a'))).to.deep.equal(
        Array.from({ length: 50 }, (_, n) => `a${n}`),
      )
    })

    it('carries bytes as they are, and positions that grow', async () => {
      const bus = await opened.join('a')
      const heard: BusMessage[] = []
      bus.hear('bytes', (message) => void heard.push(message))
      bus.hear('other', () => expect.fail('another kind'))
      const payload = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      await bus.send('bytes', { text: 'ü' }, payload)
      await bus.send('bytes', {})
      await until(() => heard.length === 2)
      expect([...(heard[0]?.payload ?? [])]).to.deep.equal([...payload])
      expect(heard[0]?.body).to.deep.equal({ text: 'ü' })
      expect(isAfter(heard[1]?.position ?? '', heard[0]?.position ?? '')).to.equal(true)
    })
  })
}

busConformance('in this process', async () => {
  const hub = createHub()
  return { join: async (node) => hub.join(node), end: async () => {} }
})

describe('over Redis', function () {
  if (!hasRedis()) {
    it.skip('needs redis-server')
    return
  }
  let server: RedisServer
  before(async () => {
    server = await startRedis()
  })
  after(() => server.stop())

  const redisMembers = async () => {
    const ends: (() => Promise<void>)[] = []
    return {
      async join(node: string) {
        const { log } = silentLog()
        const writer = new RedisLink({ url: server.url, log, name: node })
        await writer.open(2000)
        const bus = await createStreamBus({ node, url: server.url, log, writer })
        ends.push(async () => {
          writer.close()
          await bus.close()
        })
        return bus
      },
      end: async () => void (await Promise.all(ends.map((end) => end()))),
    }
  }
  busConformance('a stream of Redis', redisMembers)

  describe('whatever befalls the server', () => {
    const trials: Readonly<Record<string, () => Promise<void>>> = {
      'a restart': () => server.restart(),
      'a flush': async () => void server.cli('FLUSHALL'),
      async 'a pause'() {
        server.pause()
        // Longer than a command may take.
        await new Promise((resolve) => setTimeout(resolve, 3000))
        server.resume()
      },
    }
    for (const [name, trial] of Object.entries(trials))
      it(`goes on after ${name}, and the one that was cut off says so`, async function () {
        this.timeout(30_000)
        const members = await redisMembers()
        const a = await members.join('a')
        const b = await members.join('b')
        const heard: number[] = []
        b.hear('word', ({ body }) => void heard.push(Number(body['n'])))
        await a.send('word', { n: 1 })
        await until(() => heard.length === 1)
        await trial()
        let sent = false
        while (!sent)
          sent = await a.send('word', { n: 2 }).then(
            () => true,
            () => new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 50)),
          )
        await until(() => heard.includes(2))
        await members.end()
      })

    it('rejects at once while the server is gone, and ends no process', async function () {
      this.timeout(30_000)
      const members = await redisMembers()
      const a = await members.join('a')
      let gaps = 0
      a.onGap(() => gaps++)
      await server.kill()
      await until(() => !a.up)
      const refused = await a.send('word', {}).then(
        () => null,
        (error: Error) => error.message,
      )
      expect(refused).to.equal('Redis is away')
      await server.start()
      await until(() => a.up && gaps > 0)
      await members.end()
    })
  })
})
