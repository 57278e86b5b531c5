import { expect } from 'chai'
import { Fault, type Decision } from '#engine'
import { rateLimit, type RateLimitOptions } from '../../middleware/rate-limit.ts'
import type { RateLimit } from '../../src/access/principal.ts'
import type { Publish } from '../../src/router/publish.ts'
import { fakeClock, turn } from '../support/fake-clock.ts'
import { fakeContext, principal } from '../support/fake-context.ts'

const START = Date.UTC(2026, 0, 5, 12)
const stored: Decision = { kind: 'drop', reason: 'reached the handler' }

interface Sent {
  readonly name: number
  outcome: 'waiting' | 'handled' | 'dropped' | Fault
  at: number
}

/** One instance of the middleware with everything that was sent through it. */
function limiter(options: RateLimitOptions = {}) {
  const clock = fakeClock(START)
  const middleware = rateLimit(options)
  const told: { at: number; id: string; payload: Readonly<Record<string, unknown>> }[] = []
  const handled: number[] = []
  let count = 0
  const send = (who: string, publish: Partial<Publish> = {}, limit?: RateLimit): Sent => {
    const sent: Sent = { name: count++, outcome: 'waiting', at: -1 }
    const context = fakeContext({
      clock,
      publish: { principal: principal(who, limit ? { rateLimit: limit } : {}), ...publish },
    })
    const next = async () => {
      handled.push(sent.name)
      return stored
    }
    const tell = (id: string, payload: Readonly<Record<string, unknown>>) =>
      void told.push({ at: clock.now() - START, id, payload })
    middleware({ ...context, tell }, next).then(
      (decision) => {
        sent.outcome = decision === stored ? 'handled' : 'dropped'
        sent.at = clock.now() - START
        if (decision !== stored)
          expect(decision).to.deep.equal({ kind: 'drop', reason: 'rate_limit_exceeded' })
      },
      (error: unknown) => {
        if (!(error instanceof Fault)) throw error
        sent.outcome = error
        sent.at = clock.now() - START
      },
    )
    return sent
  }
  return { clock, send, told, handled }
}

const small = { maxRequests: 3, windowSeconds: 10 }

describe('rate limit', () => {
  it('lets exactly 1000 of 5000 through in 60 s without options (R40, fault 11)', async () => {
    const { clock, send } = limiter()
    const all: Sent[] = []
    for (let index = 0; index < 5000; index += 1) {
      all.push(send('db-monitor', { qos: 0 }))
      if (index % 100 === 99) await clock.pass(1000)
    }
    expect(clock.now() - START).to.equal(50_000)
    expect(all.filter((sent) => sent.outcome === 'handled')).to.have.length(1000)
    expect(all.filter((sent) => sent.outcome === 'dropped')).to.have.length(4000)
  })

  it('makes QoS 1 and 2 over MQTT wait in order for the next free place and loses nothing', async () => {
    const { clock, send, handled } = limiter(small)
    const all: Sent[] = []
    for (let index = 0; index < 10; index += 1) {
      all.push(send('a', { qos: index % 2 === 0 ? 1 : 2 }))
      if (index < 2) await clock.pass(1000)
    }
    await turn()
    expect(all.map((sent) => sent.outcome === 'handled').filter(Boolean)).to.have.length(3)
    await clock.pass(60_000)
    expect(all.map((sent) => sent.at)).to.deep.equal([
      0, 1000, 2000, 10_000, 11_000, 12_000, 20_000, 21_000, 22_000, 30_000,
    ])
    expect(handled).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(clock.waiting).to.deep.equal([])
  })

  it('lets nobody overtake those who wait, on any transport', async () => {
    const { clock, send, handled } = limiter({ maxRequests: 1, windowSeconds: 10 })
    let late: Sent[] = []
    // The window is free again in this very instant, and these come before the timer of the line: the place is promised.
    clock.at(START + 10_000, () => {
      late = [send('a', { via: 'http' }), send('a', { qos: 0 }), send('a')]
    })
    for (let index = 0; index < 2; index += 1) send('a')
    await turn()
    await clock.pass(10_000)
    expect(handled).to.deep.equal([0, 1])
    expect(
      late.map((sent) => (sent.outcome instanceof Fault ? sent.outcome.code : sent.outcome)),
    ).to.deep.equal(['rate_limit_exceeded', 'dropped', 'waiting'])
    await clock.pass(10_000)
    expect(handled).to.deep.equal([0, 1, 4])
  })

  it('tells the publisher once per window, in the words of R47', async () => {
    const { clock, send, told } = limiter(small)
    for (let index = 0; index < 20; index += 1) send('a', { qos: 0 })
    await clock.pass(9999)
    for (let index = 0; index < 4; index += 1) send('a')
    expect(told).to.deep.equal([
      {
        at: 0,
        id: 'rate-limit',
        payload: {
          error: 'rate_limit_exceeded',
          message: 'More than 3 publishes in 10 seconds',
          rate_limit: { max_requests: 3, window_seconds: 10, remaining: 0, reset_time: START / 1000 + 10 },
        },
      },
    ])
    await clock.pass(1)
    for (let index = 0; index < 4; index += 1) send('a')
    send('b')
    expect(told.map(({ at }) => at)).to.deep.equal([0, 10_000])
  })

  it('drops QoS 0 over the limit with its reason', async () => {
    const { send } = limiter(small)
    const all = Array.from({ length: 4 }, () => send('a', { qos: 0 }))
    await turn()
    expect(all.map((sent) => sent.outcome)).to.deep.equal(['handled', 'handled', 'handled', 'dropped'])
  })

  it('answers HTTP with rate_limit_exceeded, what is left, and when to try again (R47)', async () => {
    const { clock, send, told } = limiter(small)
    for (let index = 0; index < 3; index += 1) send('a', { via: 'http', qos: 1 })
    await clock.pass(2500)
    const over = send('a', { via: 'http', qos: 1 })
    await turn()
    const refusal = over.outcome as Fault
    expect(refusal).to.be.instanceOf(Fault)
    expect(refusal).to.include({ code: 'rate_limit_exceeded', retryAfterMs: 7500 })
    expect(refusal.entry.http).to.equal(429)
    expect(refusal.details).to.deep.equal({
      rate_limit: { max_requests: 3, window_seconds: 10, remaining: 0, reset_time: START / 1000 + 10 },
    })
    expect(told).to.deep.equal([])
    for (let index = 0; index < 3; index += 1) send('a')
    const behind = send('a', { via: 'http', qos: 1 })
    await turn()
    expect(behind.outcome, 'three wait for the places that are free next').to.include({
      retryAfterMs: 17_500,
    })
  })

  it('counts each principal by itself, whatever the topic, and takes the limit that is configured for it', async () => {
    const { send } = limiter(small)
    const own: RateLimit = { maxRequests: 5, windowMs: 1000 }
    const count = async (who: string, limit?: RateLimit) => {
      const all = Array.from({ length: 8 }, (_, index) =>
        send(who, { qos: 0, topic: `alerts/info/${index}` }, limit),
      )
      await turn()
      return all.filter((sent) => sent.outcome === 'handled').length
    }
    expect(await count('a')).to.equal(3)
    expect(await count('b')).to.equal(3)
    expect(await count('c', own)).to.equal(5)
    expect(await count('a')).to.equal(0)
  })

  it('counts critical alerts too, and never what the engine publishes itself', async () => {
    const { send } = limiter(small)
    const topic = 'alerts/critical/disk'
    const alerts = Array.from({ length: 4 }, () => send('a', { qos: 0, topic }))
    const engine = Array.from({ length: 10 }, () => send('a', { via: 'engine' }))
    await turn()
    expect(alerts.filter((sent) => sent.outcome === 'handled')).to.have.length(3)
    expect(engine.every((sent) => sent.outcome === 'handled')).to.equal(true)
  })

  it('ends the wait when the connection is gone, and the others move up', async () => {
    const { clock, send, handled } = limiter({ maxRequests: 1, windowSeconds: 10 })
    const gone = new AbortController()
    send('a')
    const lost = [send('a', { signal: gone.signal }), send('a', { signal: gone.signal })]
    const kept = send('a')
    await clock.pass(1000)
    gone.abort()
    const late = send('a', { signal: gone.signal })
    await turn()
    for (const sent of [...lost, late]) {
      expect(sent.outcome).to.be.instanceOf(Fault)
      expect((sent.outcome as Fault).code).to.equal('server.stopping')
      expect(sent.at).to.equal(1000)
    }
    await clock.pass(60_000)
    expect(kept).to.include({ outcome: 'handled', at: 10_000 })
    expect(handled).to.deep.equal([0, 3])
  })

  it('leaves no timer and no listener behind when everybody who waited has gone', async () => {
    const { clock, send, handled } = limiter({ maxRequests: 1, windowSeconds: 10 })
    const connection = new AbortController()
    const listeners = { added: 0, removed: 0 }
    const { signal } = connection
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners.added += 1
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners.removed += 1
      remove(...args)
    }
    for (let index = 0; index < 101; index += 1) send('a', { signal })
    await turn()
    expect(listeners, 'a hundred waits share one listener').to.deep.equal({ added: 1, removed: 0 })
    await clock.pass(1_000_000)
    expect(handled).to.have.length(101)
    expect(listeners).to.deep.equal({ added: 1, removed: 1 })
    expect(clock.waiting).to.deep.equal([])
    send('a', { signal })
    connection.abort()
    await turn()
    expect(clock.waiting).to.deep.equal([])
    await clock.pass(20_000)
    send('a')
    await turn()
    expect(handled, 'the line is open again').to.have.length(102)
  })

  it('refuses a limit that is none at start', () => {
    for (const options of [
      { maxRequests: 0 },
      { maxRequests: 1.5 },
      { windowSeconds: 0 },
      { windowSeconds: -1 },
    ]) {
      expect(() => rateLimit(options)).to.throw(/rateLimit/)
    }
  })
})
