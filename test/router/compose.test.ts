import { expect } from 'chai'
import type { Middleware } from '../../src/router/context.ts'
import { compose } from '../../src/router/compose.ts'
import { fakeContext } from '../support/fake-context.ts'
import type { Decision } from '../../src/notification/decision.ts'

const done: Decision = { kind: 'drop', reason: 'test' }

function traced(name: string, trace: string[]): Middleware {
  return async (_context, next) => {
    trace.push(`${name} in`)
    const decision = await next()
    trace.push(`${name} out`)
    return decision
  }
}

describe('composed middleware', () => {
  it('wraps the handler like an onion, the first of the list outermost (R45)', async () => {
    const trace: string[] = []
    const run = compose([traced('a', trace), traced('b', trace)], () => {
      trace.push('handler')
      return done
    })
    expect(await run(fakeContext())).to.equal(done)
    expect(trace).to.deep.equal(['a in', 'b in', 'handler', 'b out', 'a out'])
    expect(await compose([], () => done)(fakeContext())).to.equal(done)
  })

  it('hands a decision of a middleware out without running what is inside', async () => {
    const own: Decision = { kind: 'drop', reason: 'muted' }
    const trace: string[] = []
    const run = compose([traced('a', trace), async () => own, traced('c', trace)], () => {
      throw new Error('must not run')
    })
    expect(await run(fakeContext())).to.equal(own)
    expect(trace).to.deep.equal(['a in', 'a out'])
  })

  it('refuses a second call of next, and the handler runs once', async () => {
    let handled = 0
    const twice: Middleware = async (_context, next) => {
      await next()
      return next()
    }
    const run = compose([twice], () => {
      handled += 1
      return done
    })
    const failure = await run(fakeContext({ pattern: 'a/{b}' })).then(
      () => null,
      (error: unknown) => error,
    )
    expect(failure).to.be.an('error')
    expect(String(failure)).to.match(/next\(\) was called twice .* of a\/\{b\}/)
    expect(handled).to.equal(1)
    expect(await compose([], () => done)(fakeContext()), 'each publish counts anew').to.equal(done)
  })

  it('turns a synchronous throw of a handler or a middleware into a rejection', async () => {
    const broken = () => {
      throw new Error('bug')
    }
    for (const run of [
      compose([], broken),
      compose([broken], () => done),
      compose([traced('a', [])], broken),
    ]) {
      let threw = false
      let result: Promise<unknown> = Promise.resolve()
      try {
        result = run(fakeContext())
      } catch {
        threw = true
      }
      expect(threw).to.equal(false)
      expect(await result.then(() => 'resolved', String)).to.equal('Error: bug')
    }
  })

  it('keeps the publishes apart that run at the same time', async () => {
    const run = compose([traced('a', [])], async (context) => ({ kind: 'drop', reason: context.topic }))
    const topics = ['one', 'two', 'three']
    const decisions = await Promise.all(topics.map((topic) => run(fakeContext({ publish: { topic } }))))
    expect(decisions.map((decision) => decision.kind === 'drop' && decision.reason)).to.deep.equal(topics)
  })
})
