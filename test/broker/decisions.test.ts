import { expect } from 'chai'
import { matchFilter } from '../../src/access/topic-filter.ts'
import { ConnectionLimits } from '../../src/broker/entrance/connection-limits.ts'
import { FilterTrie } from '../../src/broker/session/filter-trie.ts'
import { silenceMs, watchSilence } from '../../src/broker/entrance/idle.ts'
import { topicFault } from '../../src/broker/mqtt-text.ts'
import { OFFLINE_BYTES, OFFLINE_MESSAGES, OutgoingQueue } from '../../src/broker/session/outgoing-queue.ts'
import { CONNECT_BYTES, PacketGate, PACKET_BYTES } from '../../src/broker/entrance/packet-gate.ts'
import { Retained, RETAINED_MESSAGES } from '../../src/broker/session/retained.ts'
import { isOwnLiveTopic } from '../../src/broker/session/session.ts'
import { decideSubscribe, SESSION_FILTERS } from '../../src/broker/session/subscribing.ts'
import { TAKEOVER_BAN_MS, Takeovers } from '../../src/broker/entrance/takeovers.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { connectPacket, packet, principal, publishPacket } from './harness.ts'
import { randomOf } from './random.ts'

describe('decisions of the broker', () => {
  it('finds in the trie exactly the filters that take a topic, also after removals', () => {
    const random = randomOf(7)
    const level = () => ['a', 'b', 'c', '', '+'][Math.floor(random() * 5)] ?? 'a'
    const filters = new Map<string, 0 | 1 | 2>()
    const trie = new FilterTrie<string>()
    for (let round = 0; round < 3000; round++) {
      const levels = Array.from({ length: 1 + Math.floor(random() * 4) }, level)
      if (random() < 0.3) levels.push('#')
      const filter = levels.join('/')
      if (random() < 0.4) {
        filters.delete(filter)
        trie.delete(filter, filter)
      } else {
        filters.set(filter, 1)
        trie.set(filter, filter, 1)
      }
      const topic = Array.from({ length: 1 + Math.floor(random() * 4) }, level)
        .map((part) => (part === '+' ? '$x' : part))
        .join('/')
      const found: string[] = []
      trie.match(topic, (owner) => found.push(owner))
      const expected = [...filters.keys()].filter((candidate) => matchFilter(candidate, topic))
      expect(found.toSorted(), topic).to.deep.equal(expected.toSorted())
      expect(trie.any(topic)).to.equal(expected.length > 0)
    }
  })

  describe('topicFault', () => {
    for (const [name, topic, sound] of [
      ['a plain topic', 'plant/1/temperature', true],
      ['umlauts and emoji', 'küche/🔔', true],
      ['sixteen levels', 'a/'.repeat(15) + 'a', true],
      ['seventeen levels', 'a/'.repeat(16) + 'a', false],
      ['512 bytes', 'a'.repeat(512), true],
      ['513 bytes', 'a'.repeat(513), false],
      ['more than 512 bytes in fewer characters', 'ü'.repeat(257), false],
      ['NUL', 'a\0b', false],
      ['a line break', 'a\nb', false],
      ['a C1 control character', 'a\u0085b', false],
      ['what was not UTF-8', 'a\ufffdb', false],
      ['nothing', '', false],
    ] as const)
      it(`${sound ? 'takes' : 'refuses'} ${name} (security 13, 14)`, () => {
        expect(topicFault(topic) === null).to.equal(sound)
      })
  })

  describe('decideSubscribe', () => {
    const door = { maySubscribe: (_: unknown, filter: string) => filter === 'mine/#' }
    for (const [filter, held, kind] of [
      ['mine/#', 0, 'granted'],
      ['mine/#', SESSION_FILTERS, 'denied'],
      ['other/#', 0, 'denied'],
      ['$SYS/#', 0, 'denied'],
      ['$share/g/mine/#', 0, 'denied'],
      ['a\0', 0, 'unusable'],
    ] as const)
      it(`is ${kind} for ${JSON.stringify(filter)} with ${held} held (security 7, 9)`, () => {
        expect(decideSubscribe(door, principal('p'), filter, held).kind).to.equal(kind)
      })
  })

  describe('isOwnLiveTopic', () => {
    const anna = principal('anna', { kind: 'user' })
    for (const [who, topic, own] of [
      [anna, 'users/anna/notifications', true],
      [anna, 'users/anna/alerts', true],
      [anna, 'users/anna/unread', true],
      [anna, 'users/anna/events/x', false],
      [anna, 'users/annabel/unread', false],
      [anna, 'users/bob/unread', false],
      [anna, 'users/anna/unread/more', false],
      [principal('anna'), 'users/anna/unread', false],
    ] as const)
      it(`says ${own} for ${topic} and the ${who.kind} anna`, () => {
        expect(isOwnLiveTopic(who, topic)).to.equal(own)
      })
  })

  describe('Takeovers (security 12)', () => {
    it('holds an id off for 60 s after more take-overs in a minute than allowed', () => {
      const takeovers = new Takeovers(3)
      for (let count = 0; count < 3; count++) expect(takeovers.admit('a/1', true, count)).to.equal(true)
      expect(takeovers.admit('a/1', true, 3)).to.equal(false)
      expect(takeovers.admit('a/1', false, 4), 'also once nobody has it').to.equal(false)
      expect(takeovers.admit('a/2', true, 4), 'another id').to.equal(true)
      expect(takeovers.admit('a/1', true, 3 + TAKEOVER_BAN_MS)).to.equal(true)
    })

    it('does not count take-overs that are a minute apart', () => {
      const takeovers = new Takeovers(1)
      for (let minute = 0; minute < 5; minute++)
        expect(takeovers.admit('a/1', true, minute * 60_000)).to.equal(true)
    })
  })

  describe('OutgoingQueue (promise P22)', () => {
    const message = (payload: string) => ({
      topic: 't',
      payload: Buffer.from(payload),
      qos: 1 as const,
      retain: false,
    })
    const launchAll = (queue: OutgoingQueue) => {
      for (let entry = queue.shift(); entry; entry = queue.shift()) queue.launch(entry)
    }

    it('drops the oldest beyond 1,000 messages and says how many', () => {
      const queue = new OutgoingQueue()
      for (let index = 0; index < OFFLINE_MESSAGES + 5; index++) queue.push(message(`${index}`), 1, false)
      expect(queue.trim()).to.equal(5)
      expect(String(queue.shift()?.message.payload)).to.equal('5')
      expect(queue.waitingCount).to.equal(OFFLINE_MESSAGES - 1)
    })

    it('drops the oldest beyond 8 MiB', () => {
      const queue = new OutgoingQueue()
      for (let index = 0; index < 5; index++) queue.push(message('x'.repeat(OFFLINE_BYTES / 4)), 1, false)
      expect(queue.trim()).to.equal(2)
      expect(queue.waitingBytes).to.be.at.most(OFFLINE_BYTES)
    })

    it('drops what is in flight before what waits, but never the release of a QoS 2 message', () => {
      const queue = new OutgoingQueue()
      queue.push(message('released'), 2, false)
      queue.push(message('sent'), 1, false)
      launchAll(queue)
      queue.release(1)
      for (let index = 0; index < OFFLINE_MESSAGES; index++) queue.push(message('w'), 1, false)
      expect(queue.trim()).to.equal(2)
      expect([...queue.flying.values()].map(({ message: { payload } }) => String(payload))).to.deep.equal([
        'released',
      ])
    })

    it('gives out no packet identifier that is still in flight, and never 0', () => {
      const queue = new OutgoingQueue()
      queue.push(message('stays'), 1, false)
      launchAll(queue)
      const seen = new Set<number>()
      for (let index = 0; index < 0xffff + 10; index++) {
        queue.push(message('x'), 1, false)
        const entry = queue.shift()
        if (!entry) throw new Error('nothing waits')
        queue.launch(entry)
        seen.add(entry.id)
        queue.confirm('puback', entry.id)
      }
      expect(seen.has(1), 'of the one that stays').to.equal(false)
      expect(seen.has(0)).to.equal(false)
      expect(seen.size).to.equal(0xffff - 1)
    })

    it('is ended by the confirmation of its own QoS only', () => {
      const queue = new OutgoingQueue()
      queue.push(message('one'), 1, false)
      queue.push(message('two'), 2, false)
      launchAll(queue)
      expect(queue.confirm('pubcomp', 1)).to.equal(undefined)
      expect(queue.confirm('puback', 2)).to.equal(undefined)
      expect(queue.confirm('puback', 99)).to.equal(undefined)
      expect(queue.flying.size).to.equal(2)
      expect(queue.confirm('puback', 1)?.qos).to.equal(1)
      expect(queue.confirm('pubcomp', 2)?.qos).to.equal(2)
      expect(queue.flyingBytes).to.equal(0)
    })
  })

  describe('PacketGate (security 13)', () => {
    it('counts the same packets wherever the bytes are cut', () => {
      const random = randomOf(11)
      const packets = [
        connectPacket('c'),
        ...Array.from({ length: 40 }, (_, index) => publishPacket('t', 'x'.repeat(index * 11))),
        packet(0xc0, Buffer.alloc(0)),
      ]
      const bytes = Buffer.concat(packets)
      for (let round = 0; round < 50; round++) {
        const gate = new PacketGate(() => PACKET_BYTES)
        for (let offset = 0; offset < bytes.length;) {
          const chunk = bytes.subarray(offset, offset + 1 + Math.floor(random() * 60))
          const taken = gate.follow(chunk)
          expect(taken).to.be.a('number')
          if (offset < (packets[0]?.length ?? 0) && offset + chunk.length > (packets[0]?.length ?? 0))
            expect(offset + Number(taken), 'the CONNECT by itself').to.equal(packets[0]?.length)
          offset += Number(taken)
        }
        expect(gate.packets).to.equal(packets.length)
      }
    })

    for (const [name, bytes] of [
      ['a first packet that is no CONNECT', Buffer.from([0x30, 1])],
      ['a CONNECT with reserved flags', Buffer.from([0x11, 1])],
      ['a CONNECT announced with 268 MB (A6)', Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])],
      ['a length of five bytes', Buffer.from([0x10, 0x80, 0x80, 0x80, 0x80, 0x01])],
    ] as const)
      it(`stops ${name}`, () => {
        expect(new PacketGate(() => CONNECT_BYTES).follow(bytes)).to.be.a('string')
      })
  })

  describe('silence (security 15)', () => {
    for (const [keepalive, expected] of [
      [60, 90_000],
      [1200, 1_800_000],
      [0, 1_800_000],
      [65_535, 1_800_000],
    ] as const)
      it(`lasts ${expected} ms at a keepalive of ${keepalive} s`, () => {
        expect(silenceMs(keepalive)).to.equal(expected)
      })

    it('is counted from the last packet and not at all while the peer is not read', async () => {
      const clock = fakeClock()
      let lastAt = clock.now()
      let busy = false
      let silent = 0
      watchSilence({
        clock,
        silenceMs: 100,
        lastAt: () => lastAt,
        excused: () => busy,
        onSilent: () => silent++,
      })
      await clock.pass(90)
      lastAt = clock.now()
      await clock.pass(99)
      expect(silent).to.equal(0)
      busy = true
      await clock.pass(1000)
      expect(silent).to.equal(0)
      busy = false
      await clock.pass(200)
      expect(silent).to.equal(1)
      await clock.pass(1000)
      expect(silent).to.equal(1)
    })
  })

  it('keeps at most the quota of retained messages for the clients of a tenant (security 10)', () => {
    const retained = new Retained()
    const store = (topic: string, tenant: string | null, payload = 'x') =>
      retained.store({ topic, payload: Buffer.from(payload), qos: 0, retain: true }, tenant)
    for (let index = 0; index < RETAINED_MESSAGES; index++) expect(store(`t/${index}`, 'acme')).to.equal(true)
    expect(store('one/more', 'acme')).to.equal(false)
    expect(store('t/1', 'acme', 'replaced')).to.equal(true)
    expect(store('one/more', 'other')).to.equal(true)
    expect(store('state/x', null)).to.equal(true)
    expect(store('t/2', 'acme', '')).to.equal(true)
    expect(store('one/more/2', 'acme')).to.equal(true)
  })

  it('counts connections by address, with loopback exempt (security 16)', () => {
    const limits = new ConnectionLimits({
      connections: 3,
      connections_per_address: 1,
      streams_per_user: 20,
      takeovers: 1,
      session_expiry: '7d',
      commit_queue: 10,
      commit_queue_bytes: 1024,
    })
    const leave = limits.enter('192.0.2.1')
    expect(limits.fault('192.0.2.1')).to.equal('connections_per_address')
    expect(limits.fault('192.0.2.2')).to.equal(null)
    limits.enter('127.0.0.1')
    expect(limits.fault('::ffff:127.0.0.1')).to.equal(null)
    limits.enter('::1')
    expect(limits.fault('192.0.2.2')).to.equal('connections')
    leave()
    leave()
    expect(limits.count).to.equal(2)
    expect(limits.fault('192.0.2.1')).to.equal(null)
  })
})
