import { expect } from 'chai'
import type { Principal } from '../../src/access/principal.ts'
import { RedisLink } from '../../src/nodes/redis/link.ts'
import { RedisPersistence } from '../../src/nodes/redis/redis-persistence.ts'
import { CHANGE, TAKE_HOME, TAKE_WILLS } from '../../src/nodes/redis/session-script.ts'
import { principal as principalOf } from '../broker/harness.ts'
import { hasRedis, startRedis, type RedisServer } from '../support/redis-server.ts'
import { sessionSuite } from '../support/session-suite.ts'
import { silentLog } from '../support/silent-log.ts'

describe('the persistence of MQTT sessions in Redis', function () {
  if (!hasRedis()) {
    it.skip('needs redis-server')
    return
  }
  let server: RedisServer
  let link: RedisLink
  before(async () => {
    server = await startRedis()
    const { log } = silentLog()
    link = new RedisLink({ url: server.url, log, name: 'test', scripts: [CHANGE, TAKE_HOME, TAKE_WILLS] })
    await link.open(2000)
  })
  after(async () => {
    link.close()
    await server.stop()
  })
  beforeEach(() => void server.cli('FLUSHALL'))

  describe('(aedes-persistence, abstract.js)', () => {
    sessionSuite(async () => new RedisPersistence(link, 'a'))
  })

  const someone: Principal = principalOf('dev')
  const session = { id: 'dev/one' }
  const packet = (number: number) =>
    ({
      cmd: 'publish',
      topic: 't',
      payload: `${number}`,
      qos: 1,
      retain: false,
      brokerId: '5-1',
      brokerCounter: number,
    }) as const
  const queueOf = async (at: RedisPersistence) =>
    ((await at.outgoingStream(session).toArray()) as { payload: Buffer; messageId: number }[]).map(
      ({ payload, messageId }) => `${messageId}:${payload.toString()}`,
    )

  it('keeps the order of the calls, and the same message once', async () => {
    const persistence = new RedisPersistence(link, 'a')
    await persistence.keepSession(session, someone)
    const numbers = Array.from({ length: 300 }, (_, number) => number)
    await Promise.all(
      [...numbers, 7].map((number) =>
        persistence.outgoingEnqueue(
          { clientId: session.id, topic: 't', qos: 1, messageId: number + 1 },
          packet(number),
        ),
      ),
    )
    expect(await queueOf(new RedisPersistence(link, 'b'))).to.deep.equal(
      numbers.map((number) => `${number + 1}:${number}`),
    )
  })

  it('lets only the node change a session that it is at home on (fencing)', async () => {
    const [a, b] = [new RedisPersistence(link, 'a'), new RedisPersistence(link, 'b')]
    const recipient = { clientId: session.id, topic: 't', qos: 1, messageId: 1 } as const
    await a.keepSession(session, someone)
    await a.outgoingEnqueue(recipient, packet(1))
    await link.run(TAKE_HOME, [session.id, 'b', ''])
    const refused = await Promise.all(
      [
        a.outgoingEnqueue({ ...recipient, messageId: 2 }, packet(2)),
        a.outgoingClearMessageId(session, { messageId: 1 }),
        a.dropSession(session),
        a.keepSession(session, someone),
      ].map((call) => call.then(() => false).catch(() => true)),
    )
    expect(refused).to.deep.equal([true, true, true, true])
    expect(await queueOf(b)).to.deep.equal(['1:1'])
    await b.outgoingClearMessageId(session, { messageId: 1 })
    expect(await queueOf(b)).to.deep.equal([])
  })

  it('gives a session to one of two nodes that take it from a third one', async () => {
    await new RedisPersistence(link, 'a').keepSession(session, someone)
    const taken = await Promise.all(['b', 'c'].map((node) => link.run(TAKE_HOME, [session.id, node, 'a'])))
    expect(taken.filter((reply) => reply !== null)).to.have.length(1)
  })

  it('gives the wills of a node that is gone to one other node, and takes back only its own', async () => {
    const [a, b] = [new RedisPersistence(link, 'a'), new RedisPersistence(link, 'b')]
    await Promise.all([a.setup({ id: 'a' }), b.setup({ id: 'b' })])
    await a.putWill(session, { topic: 'w', payload: Buffer.from('gone'), qos: 1, retain: false })
    const taken = await Promise.all(['b', 'c'].map((node) => link.run(TAKE_WILLS, ['a', node])))
    expect(
      taken.map((reply) => (reply as unknown[]).length).toSorted((one, other) => one - other),
    ).to.deep.equal([0, 2])
    expect(await a.delWill(session)).to.equal(undefined)
  })

  it('does not let an older retained message cover a newer one', async () => {
    const persistence = new RedisPersistence(link, 'a')
    const retain = (text: string, position: string) =>
      persistence.storeRetained({
        topic: 'r',
        payload: Buffer.from(text),
        qos: 0,
        retain: true,
        tenant: 't',
        position,
      })
    await retain('second', '100-2')
    await retain('first', '100-1')
    await retain('', '99-9')
    const [kept] = (await persistence.createRetainedStream('#').toArray()) as { payload: Buffer }[]
    expect(kept?.payload.toString()).to.equal('second')
  })
})
