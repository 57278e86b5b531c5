import { expect } from 'chai'
import type { TenantId } from '../../../src/access/principal.ts'
import { Fault } from '../../../src/errors.ts'
import { EventLog, type StreamEvent } from '../../../src/live/stream/event-log.ts'
import { formatPosition, parsePosition } from '../../../src/live/stream/position.ts'
import type { StreamFrame } from '../../../src/live/stream/stream.ts'
import { createStreams, type StreamConnection } from '../../../src/live/stream/streams.ts'
import { createMetrics } from '../../../src/metrics.ts'
import { principal } from '../../support/fake-directory.ts'
import { TENANT } from '../../support/memory-inbox.ts'
import { liveHarness } from '../harness.ts'

const ANNA = principal('user', 'anna')

function event(n: number, given: Partial<StreamEvent> = {}): StreamEvent {
  return { tenant: TENANT, userId: 'anna', type: 'a.b', data: String(n), source: null, at: 1000, ...given }
}

/** A connection with room for so many frames until it is given more. */
function connection(since?: string) {
  const frames: StreamFrame[] = []
  const ends: string[] = []
  const made = {
    room: Infinity,
    frames,
    ends,
    since,
    of: (type: string) =>
      frames.filter((frame) => frame.type === type).map(({ data }) => JSON.parse(data) as unknown),
    write(frame: StreamFrame, flushed: () => void) {
      if (made.room <= 0) return false
      made.room -= 1
      frames.push(frame)
      queueMicrotask(flushed)
      return true
    },
    end: (reason: string) => void ends.push(reason),
  } satisfies StreamConnection & Record<string, unknown>
  return made
}

function setUp(perUser = 20) {
  const h = liveHarness()
  const log = new EventLog('run1')
  const streams = createStreams({
    live: h.live,
    log,
    store: h.inbox,
    clock: h.clock,
    metrics: createMetrics(),
    readerOf: ({ id, tenant }) => ({ tenant, userId: id, groups: [] }),
    perUser,
  })
  return { ...h, log, streams }
}

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'none'
  } catch (error) {
    return error instanceof Fault ? error.code : String(error)
  }
}

describe('The streams of people', () => {
  it('admit twenty connections of one person on each transport and no more, and no machine', () => {
    const { streams } = setUp()
    const places = Array.from({ length: 20 }, () => streams.admit(ANNA, 'ws'))
    expect(codeOf(() => streams.admit(ANNA, 'ws'))).to.equal('stream.too_many')
    expect(codeOf(() => streams.admit(ANNA, 'sse'))).to.equal('none')
    expect(codeOf(() => streams.admit(principal('user', 'bob'), 'ws'))).to.equal('none')
    places[0]?.leave()
    places[0]?.leave()
    expect(codeOf(() => streams.admit(ANNA, 'ws'))).to.equal('none')
    expect(codeOf(() => streams.admit(ANNA, 'ws'))).to.equal('stream.too_many')
    expect(codeOf(() => streams.admit(principal('client', 'shop'), 'ws'))).to.equal('auth.forbidden')
  })

  it('give up a connection that has had no room for half a minute, and no other', async () => {
    const { streams, log, clock, settle } = setUp()
    const [slow, busy, idle] = [connection(), connection(), connection()]
    for (const each of [slow, busy, idle]) await streams.admit(ANNA, 'ws').open(each)
    const again = connection()
    const busyStream = await streams.admit(ANNA, 'ws').open(again)
    slow.room = 0
    again.room = 0
    log.add(event(1))
    await settle()
    await clock.pass(29_000)
    again.room = Infinity
    busyStream.roomy()
    log.add(event(2))
    await clock.pass(2000)
    expect(slow.ends).to.deep.equal(['slow'])
    for (const each of [busy, idle, again]) {
      expect(each.ends).to.deep.equal([])
      expect(each.of('a.b')).to.deep.equal([1, 2])
    }
  })

  it('read on where a connection had no room, and pass each frame on once and in order', async () => {
    const { streams, log, publish, settle } = setUp()
    const slow = connection('latest')
    const stream = await streams.admit(ANNA, 'ws').open(slow)
    for (let n = 0; n < 30; n++) {
      slow.room = n % 3 === 0 ? 1 : 0
      stream.roomy()
      log.add(event(n))
      publish({ to: 'anna', content: { message: `number ${n}` } })
      await settle()
    }
    slow.room = Infinity
    stream.roomy()
    await settle()
    const numbers = Array.from({ length: 30 }, (_, n) => n)
    expect(slow.of('a.b')).to.deep.equal(numbers)
    expect(
      slow.of('notification.created').map((data) => (data as { message: string }).message),
    ).to.deep.equal(numbers.map((n) => `number ${n}`))
  })

  it('resume from any frame with all that came after it and nothing else', async () => {
    const { streams, log, publish, settle } = setUp()
    const first = connection('latest')
    await streams.admit(ANNA, 'ws').open(first)
    for (let n = 0; n < 5; n++) {
      log.add(event(n))
      publish({ to: 'anna', content: { message: `number ${n}` } })
      await settle()
    }
    const numbered = (frames: readonly StreamFrame[]) =>
      frames
        .filter(({ type }) => type === 'a.b' || type === 'notification.created')
        .map(({ type, data }) => `${type} ${data}`)
    for (const [at, { id }] of first.frames.entries()) {
      const resumed = connection(id)
      const place = streams.admit(ANNA, 'ws')
      await place.open(resumed)
      await settle()
      expect(numbered(resumed.frames), `from frame ${at}`).to.have.members(
        numbered(first.frames.slice(at + 1)),
      )
      place.leave()
    }
  })

  it('give events of an earlier run nothing to stand for, and say when some were forgotten', async () => {
    const { streams, log } = setUp()
    for (let n = 0; n < 3; n++) log.add(event(n))
    const fromBefore = connection('0.run0.999')
    await streams.admit(ANNA, 'ws').open(fromBefore)
    expect(fromBefore.of('a.b')).to.deep.equal([0, 1, 2])
    expect(fromBefore.of('connected')).to.deep.equal([{ status: 'connected', complete: true }])
    for (let n = 0; n < 10_000; n++) log.add(event(n, { userId: 'bob' }))
    const late = connection('0.run1.1')
    await streams.admit(ANNA, 'ws').open(late)
    expect(late.of('connected')).to.deep.equal([{ status: 'connected', complete: false }])
    expect(late.of('a.b')).to.deep.equal([])
  })

  it('tell a person nothing of others and nothing of other tenants', async () => {
    const { streams, log } = setUp()
    const anna = connection()
    await streams.admit(ANNA, 'ws').open(anna)
    log.add(event(1, { userId: 'bob' }))
    log.add(event(2, { userId: null, tenant: 'acme' as TenantId }))
    log.add(event(3, { userId: 'anna', tenant: 'acme' as TenantId }))
    log.add(event(4, { userId: null }))
    expect(anna.of('a.b')).to.deep.equal([4])
    expect(anna.frames.at(-1)?.id).to.match(/\.4$/)
  })

  it('end when the proof of who they are does, when it is withdrawn, and when the program stops', async () => {
    const { streams, clock } = setUp()
    const [expiring, revoked, other] = [connection(), connection(), connection()]
    await streams.admit({ ...ANNA, expiresAt: clock.now() + 60_000 }, 'ws').open(expiring)
    await streams.admit(principal('user', 'bob'), 'sse').open(revoked)
    await streams.admit(principal('user', 'cem'), 'poll').open(other)
    streams.revoke('bob')
    expect(revoked.ends).to.deep.equal(['revoked'])
    await clock.pass(60_000)
    expect(expiring.ends).to.deep.equal(['expired'])
    expect(other.ends).to.deep.equal([])
    streams.close()
    expect(other.ends).to.deep.equal(['stopping'])
    expect(codeOf(() => streams.admit(ANNA, 'ws'))).to.equal('server.stopping')
  })

  it('know their own positions and no others', () => {
    for (const position of [
      { seq: -1, run: 'a1', event: 0 },
      { seq: 42, run: 'deadbeef0123', event: 7 },
    ])
      expect(parsePosition(formatPosition(position))).to.deep.equal(position)
    for (const text of [
      '',
      '1',
      '1.a',
      '-2.a.1',
      '1.A.1',
      '1.a.-1',
      '1.a.1.1',
      '1e9.a.1',
      ' 1.a.1',
      `${'9'.repeat(16)}.a.1`,
    ])
      expect(parsePosition(text), text).to.equal(null)
  })
})
