import { expect } from 'chai'
import Type from 'typebox'
import type { Decision } from '../../src/notification/decision.ts'
import type { Middleware } from '../../src/router/context.ts'
import { runRoute } from '../../src/router/compose.ts'
import { createRouter, type Router } from '../../src/router/router.ts'
import { turn } from '../support/fake-clock.ts'
import { fakeContext, type FakeContextOptions } from '../support/fake-context.ts'

const done: Decision = { kind: 'drop', reason: 'test' }

function publishTo(router: Router, topic: string, options: FakeContextOptions = {}): Promise<Decision> {
  const match = router.match(topic)
  if (!match) return Promise.reject(new Error(`no route for ${topic}`))
  const context = fakeContext({
    pattern: match.route.pattern,
    params: match.params,
    ...options,
    publish: { topic, ...options.publish },
  })
  return runRoute(match, context)
}

function noted(trace: string[], name: string): Middleware {
  return (_context, next) => {
    trace.push(name)
    return next()
  }
}

describe('router', () => {
  it('lists every route with all that the topic table and AsyncAPI say about it (R45)', () => {
    const Body = Type.Object({ to: Type.String() })
    const Reply = Type.Object({ status: Type.String() })
    const router = createRouter()
    router.group('notifications', [], (notifications) => {
      notifications.on('realtime/user/{userId}', { qos: 1, summary: 'To one person' }, () => done)
      notifications.on(
        'email/send',
        { body: Body, reply: Reply, qos: 2, shared: true, workerCount: 3 },
        () => done,
      )
      notifications.on('sms/send', { shared: true }, () => done)
    })
    router.on('presence', () => done)
    const [user, email, sms, presence] = router.routes
    expect(user).to.include({
      pattern: 'notifications/realtime/user/{userId}',
      filter: 'notifications/realtime/user/+',
      qos: 1,
      shared: false,
      workerCount: null,
      body: null,
      reply: null,
      summary: 'To one person',
      aliasOf: null,
    })
    expect(user?.params).to.deep.equal(['userId'])
    expect(email).to.include({
      qos: 2,
      shared: true,
      workerCount: 3,
      body: Body,
      reply: Reply,
      summary: null,
    })
    expect(sms, 'shared without a count has one worker (R46)').to.include({ shared: true, workerCount: 1 })
    expect(presence).to.include({ pattern: 'presence', qos: 0, shared: false })
  })

  it('runs the middleware of outer groups, inner groups and the route in this order, in list order (R45)', async () => {
    const trace: string[] = []
    const named = (name: string) => noted(trace, name)
    const router = createRouter()
    router.group('a', [named('outer 1'), named('outer 2')], (outer) => {
      outer.group('b', [named('inner')], (inner) => {
        inner.on('c', { middleware: [named('route 1'), named('route 2')] }, () => {
          trace.push('handler')
          return done
        })
      })
      outer.on('d', () => done)
    })
    await publishTo(router, 'a/b/c')
    expect(trace.splice(0)).to.deep.equal(['outer 1', 'outer 2', 'inner', 'route 1', 'route 2', 'handler'])
    await publishTo(router, 'a/d')
    expect(trace).to.deep.equal(['outer 1', 'outer 2'])
  })

  it('hands params, body and the route’s pattern to the handler', async () => {
    const seen: unknown[] = []
    const router = createRouter()
    router.group('tenants/{tenantId}', [], (tenants) => {
      tenants.on('user/{userId}', { body: Type.Object({ message: Type.String() }) }, (c) => {
        seen.push({ ...c.params }, c.body.message, c.pattern)
        return done
      })
    })
    await publishTo(router, 'tenants/acme/user/anna', { body: { message: 'hi' } })
    expect(seen).to.deep.equal([
      { tenantId: 'acme', userId: 'anna' },
      'hi',
      'tenants/{tenantId}/user/{userId}',
    ])
  })

  it('registers a group under two prefixes as the same routes, with the same workers', async () => {
    const router = createRouter()
    const ends: (() => void)[] = []
    const started: string[] = []
    router.group(['notifications/alerts', 'alerts'], [], (alerts) => {
      alerts.on('critical/{alertType}', { qos: 2, shared: true, workerCount: 1 }, async (c) => {
        started.push(c.topic)
        await new Promise<void>((resolve) => ends.push(resolve))
        return done
      })
    })
    expect(router.routes.map((route) => [route.pattern, route.aliasOf])).to.deep.equal([
      ['notifications/alerts/critical/{alertType}', null],
      ['alerts/critical/{alertType}', 'notifications/alerts/critical/{alertType}'],
    ])
    expect(router.match('alerts/critical/disk')?.route.qos).to.equal(2)
    const both = [
      publishTo(router, 'alerts/critical/a'),
      publishTo(router, 'notifications/alerts/critical/b'),
    ]
    await turn()
    expect(started).to.deep.equal(['alerts/critical/a'])
    ends[0]?.()
    await turn()
    ends[1]?.()
    await Promise.all(both)
    expect(started).to.deep.equal(['alerts/critical/a', 'notifications/alerts/critical/b'])
  })

  it('stops the start when two routes have the same shape, and names both places', () => {
    const router = createRouter()
    router.group('user', [], (group) => group.on('{userId}', () => done))
    let message = ''
    try {
      router.on('user/{id}', { qos: 1 }, () => done)
    } catch (error) {
      message = String(error)
    }
    const places = [...message.matchAll(/at (\/\S*router\.test\.[jt]s:\d+)/g)].map((found) => found[1])
    expect(places).to.have.length(2)
    expect(places[0]).to.equal(router.routes[0]?.place)
    expect(places[0]).to.not.equal(places[1])
    expect(router.routes).to.have.length(1)
  })

  it('refuses a worker bound that could not hold', () => {
    const router = createRouter()
    for (const workerCount of [0, -1, 1.5, Number.NaN]) {
      expect(() => router.on('a', { shared: true, workerCount }, () => done)).to.throw(/whole number from 1/)
    }
    expect(() => router.on('a', { workerCount: 3 }, () => done)).to.throw(/only with shared: true/)
    expect(router.routes).to.have.length(0)
  })

  it('checks the body after the middleware, which may have replaced it, and before the handler', async () => {
    const router = createRouter()
    const rename: Middleware = (context, next) => {
      if (context.principal.id === 'db-monitor') context.body = { message: 'renamed' }
      return next()
    }
    let handled = 0
    router.group('a', [rename], (group) => {
      group.on('b', { body: Type.Object({ message: Type.String() }), invalid: 'Message is required' }, () => {
        handled += 1
        return done
      })
    })
    await publishTo(router, 'a/b', { body: { text: 'x' } })
    expect(handled).to.equal(1)
    const other = fakeContext().principal
    const refusal = await publishTo(router, 'a/b', {
      publish: { principal: { ...other, id: 'other' } },
    }).catch((error: unknown) => error)
    expect(refusal).to.include({ code: 'publish.invalid_body', message: 'Message is required' })
    expect(handled).to.equal(1)
  })

  it('runs at most workerCount handlers of a shared route at once, and others without a bound (R46, fault 13)', async () => {
    const router = createRouter()
    const running = { shared: 0, free: 0 }
    const most = { shared: 0, free: 0 }
    const ends: (() => void)[] = []
    const slow = (kind: 'shared' | 'free') => async (): Promise<Decision> => {
      most[kind] = Math.max(most[kind], ++running[kind])
      await new Promise<void>((resolve) => ends.push(resolve))
      running[kind] -= 1
      return done
    }
    router.on('email/send', { shared: true, workerCount: 3 }, slow('shared'))
    router.on('push/{platform}', slow('free'))
    const all = Array.from({ length: 20 }, (_, index) =>
      publishTo(router, index % 2 === 0 ? 'email/send' : 'push/ios'),
    )
    let finished = 0
    while (finished < 20) {
      await turn()
      for (const end of ends.splice(0)) {
        end()
        finished += 1
      }
    }
    await Promise.all(all)
    expect(most).to.deep.equal({ shared: 3, free: 10 })
  })

  it('finds nothing where no route is', () => {
    expect(createRouter().match('a')).to.equal(null)
  })
})
