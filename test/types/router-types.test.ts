import Type from 'typebox'
import { expect } from 'chai'
import type { Context, Decision } from '#engine'
import { createRouter } from '../../src/router/router.ts'
import type { Join, TopicParams } from '../../src/router/topic.ts'

/** True when both types are the same, not merely assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Plain<T> = { [Key in keyof T]: T[Key] }

const done: Decision = { kind: 'drop', reason: 'type test' }
const Body = Type.Object({ message: Type.String(), title: Type.Optional(Type.String()) })

/** Needs a user and nothing else: fits every route that has one. */
const toUser = (c: Context<{ readonly userId: string }>): Decision => ({
  kind: 'drop',
  reason: c.params.userId,
})

// Each of these lines is a promise that the compiler keeps; a promise broken is a build that fails.
const topicParams: [
  Same<TopicParams<'realtime/user/{userId}'>, { readonly userId: string }>,
  Same<Plain<TopicParams<'a/{x}/b/{y}'>>, { readonly x: string; readonly y: string }>,
  Same<Plain<TopicParams<'events/{path...}'>>, { readonly path: string }>,
  Same<keyof TopicParams<'system/status'>, never>,
  Same<TopicParams<string>, Readonly<Record<string, string>>>,
  Same<Join<'notifications', 'system/status'>, 'notifications/system/status'>,
  Same<Join<'', 'a'>, 'a'>,
  Same<Join<'a', ''>, 'a'>,
] = [true, true, true, true, true, true, true, true]

describe('types of routes', () => {
  it('keeps the literal of a pattern and gives its parameters to the handler', () => {
    const router = createRouter()
    router.group('tenants/{tenantId}', [], (tenants) => {
      tenants.on('user/{userId}', (c) => {
        const both: Same<keyof typeof c.params, 'tenantId' | 'userId'> = true
        // @ts-expect-error the pattern has no such parameter
        void c.params.groupId
        return both ? done : done
      })
      tenants.group('rooms/{room}', [], (rooms) => {
        rooms.on('{seat}', (c) => {
          const all: Same<keyof typeof c.params, 'tenantId' | 'room' | 'seat'> = true
          return all ? done : done
        })
      })
    })
    expect(topicParams).to.have.length(8)
    expect(router.routes.map((route) => route.pattern)).to.deep.equal([
      'tenants/{tenantId}/user/{userId}',
      'tenants/{tenantId}/rooms/{room}/{seat}',
    ])
  })

  it('takes a controller on every route that has what it needs, and refuses it on one that has not', () => {
    const router = createRouter()
    router.on('realtime/user/{userId}', toUser)
    router.on('realtime/user/{userId}/device/{device}', toUser)
    // @ts-expect-error Property 'userId' is missing
    router.on('realtime/group/{groupId}', toUser)
    // @ts-expect-error Property 'userId' is missing
    router.on('realtime/other/{groupId}', { qos: 1 }, toUser)
    expect(router.routes).to.have.length(4)
  })

  it('infers the body from the schema', () => {
    const router = createRouter()
    router.on('a', { body: Body }, (c) => {
      const message: Same<typeof c.body.message, string> = true
      const title: Same<typeof c.body.title, string | undefined> = true
      // @ts-expect-error the schema has no such field
      void c.body.subject
      return message && title ? done : done
    })
    router.on('b', { qos: 1 }, (c) => {
      const unknown: Same<typeof c.body, unknown> = true
      return unknown ? done : done
    })
    router.on('c', (c) => {
      // @ts-expect-error without a schema the body may be anything
      void c.body.message
      return done
    })
    const wantsSubject = (c: Context<object, { subject: string }>): Decision => ({
      kind: 'drop',
      reason: c.body.subject,
    })
    // @ts-expect-error Property 'subject' is missing
    router.on('d', { body: Body }, wantsSubject)
    expect(router.routes).to.have.length(4)
  })

  it('promises of two prefixes only the parameters that both have', () => {
    const router = createRouter()
    router.group(['sites/{site}/alerts', 'alerts'], [], (alerts) => {
      alerts.on('{alertType}', (c) => {
        // @ts-expect-error the second spelling has no site
        void c.params.site
        return { kind: 'drop', reason: c.params.alertType }
      })
    })
    expect(router.routes.map((route) => route.pattern)).to.deep.equal([
      'sites/{site}/alerts/{alertType}',
      'alerts/{alertType}',
    ])
  })

  it('refuses options that are none', () => {
    const router = createRouter()
    // @ts-expect-error there is no QoS 3
    router.on('a', { qos: 3 }, () => done)
    // @ts-expect-error misspelt
    router.on('b', { worker_count: 3 }, () => done)
    // @ts-expect-error a handler decides something
    router.on('c', () => undefined)
    expect(router.routes).to.have.length(3)
  })
})
