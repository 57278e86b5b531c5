import assert from 'node:assert'
import { createRequire } from 'node:module'
import { expect } from 'chai'

/** What the suite takes from the runner of Node, as far as it uses it. */
interface SuiteContext {
  readonly assert: typeof assert
  plan(count: number): void
  diagnostic(message: string): void
}

type Suite = (options: {
  readonly test: (title: string, body: (context: SuiteContext) => Promise<void>) => void
  readonly persistence: () => Promise<unknown>
  readonly testAsync: boolean
}) => void

// The package has no types for it.
const require = createRequire(import.meta.url)
const suite = require('aedes-persistence/abstract.js') as Suite

/** Declares every case of the public abstract suite of aedes-persistence for a persistence that begins empty. */
export function sessionSuite(persistence: () => Promise<unknown>): void {
  let cases = 0
  suite({
    persistence,
    testAsync: true,
    test(title, body) {
      cases++
      it(title, () => planned(body))
    },
  })

  it('is held against every case of the suite', () => {
    expect(cases).to.be.at.least(50)
  })
}

/** Runs one case and holds it to the number of assertions that it planned. */
async function planned(body: (context: SuiteContext) => Promise<void>): Promise<void> {
  let plan: number | null = null
  let made = 0
  const counting = new Proxy(assert, {
    get(target, name, receiver) {
      made++
      return Reflect.get(target, name, receiver) as unknown
    },
  })
  await body({ assert: counting, plan: (count) => void (plan = count), diagnostic: () => {} })
  if (plan !== null) expect(made, 'assertions').to.equal(plan)
}
