import { expect } from 'chai'
import { nodePair, type NodePair } from '../support/node-pair.ts'
import { until } from '../support/eventually.ts'
import { hasRedis, type RedisServer } from '../support/redis-server.ts'

describe('two nodes whose Redis is in trouble', function () {
  this.timeout(90_000)
  if (!hasRedis()) {
    it.skip('needs redis-server')
    return
  }
  let pair: NodePair
  beforeEach(async () => {
    pair = await nodePair()
  })
  afterEach(() => pair.end())

  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  const trials: Readonly<Record<string, (redis: RedisServer) => Promise<() => Promise<void>>>> = {
    async 'is killed and comes back'(redis) {
      await redis.kill()
      return () => redis.start()
    },
    async 'is paused and goes on'(redis) {
      redis.pause()
      await pause(1500)
      return async () => redis.resume()
    },
    async 'is flushed'(redis) {
      redis.cli('FLUSHALL')
      return async () => {}
    },
  }

  for (const [name, trial] of Object.entries(trials))
    it(`loses no accepted message and recovers by itself when it ${name} [P1]`, async () => {
      const { a, b, redis } = pair
      const phone = await b.client('bob')
      await phone.mqtt.subscribeAsync('users/bob/notifications', { qos: 1 })
      const listener = await b.client('other', { clientId: 'kept', clean: false })
      await listener.mqtt.subscribeAsync('plain/#', { qos: 1 })
      const device = await a.client('device')
      const notify = (title: string) =>
        device.mqtt.publishAsync(
          'notifications/realtime/user/bob',
          JSON.stringify({ title, message: title }),
          { qos: 1 },
        )
      const titles = () =>
        phone.messages.map(({ payload }) => (JSON.parse(payload.toString()) as { title: string }).title)

      await notify('before')
      const end = await trial(redis)
      // Acknowledged while Redis is away: the store alone is asked.
      await notify('during')
      await until(() => titles().includes('during'))
      await end()
      await until(() => a.app.engine.readiness().then((trouble) => trouble === null))
      await notify('after')
      await until(() => titles().includes('after'))
      expect(titles()).to.deep.equal(['before', 'during', 'after'])

      // Plain topics go between nodes again, and the session is kept again.
      const carried = async () => {
        const sender = await a.client('device')
        const sent = await Promise.race([
          sender.mqtt.publishAsync('plain/again', 'x', { qos: 1 }).then(() => true),
          pause(2000).then(() => false),
        ])
        return sent && listener.texts().includes('x')
      }
      await until(carried)
      await until(() => redis.cli('HGETALL', 'carillon:session:other/kept:f').includes('plain/#'))
    })

  it('counts rates by itself while Redis is away, and refuses nobody for that (R40)', async () => {
    const { a, redis } = pair
    await redis.kill()
    const device = await a.client('device')
    for (let n = 0; n < 20; n++)
      await device.mqtt.publishAsync('notifications/realtime/user/bob', `{"title":"${n}","message":"m"}`, {
        qos: 1,
      })
    const [counted] = (await a.app.engine.metrics.rateFallbacks.get()).values
    expect(counted?.value ?? 0).to.be.at.least(20)
    expect(a.lines.some(({ msg }) => String(msg).includes('counted by each node'))).to.equal(true)
    await redis.start()
  })
})
