import { expect } from 'chai'
import type { TenantId } from '../../src/access/principal.ts'
import { createChaos, sendInTrouble, troubledResult } from '../../src/delivery/chaos.ts'
import { fakeClock, turn } from '../support/fake-clock.ts'
import { TENANT } from '../support/messages.ts'

const trouble = { failRate: 0.3, delayMs: 5000, status: 503 }
const message = { idempotencyKey: 'a1.1', address: 'x', rendered: { text: 'x', actions: [] }, critical: true }

describe('chaos', () => {
  const edges: readonly [failRate: number, random: number, ok: boolean][] = [
    [0.3, 0.299, false],
    [0.3, 0.3, true],
    [0, 0, true],
    [1, 0.999_999, false],
  ]
  for (const [failRate, random, ok] of edges) {
    it(`at a rate of ${failRate} and a random ${random} ${ok ? 'lets through' : 'fails'} (contract section 7)`, () => {
      expect(troubledResult({ ...trouble, failRate }, random).ok).to.equal(ok)
    })
  }

  const statuses: readonly [status: number, code: string, retry: boolean][] = [
    [400, 'http_400', false],
    [401, 'provider_down', true],
    [403, 'provider_down', true],
    [404, 'http_404', false],
    [408, 'http_408', true],
    [429, 'http_429', true],
    [500, 'http_500', true],
    [599, 'http_599', true],
  ]
  for (const [status, code, retry] of statuses) {
    it(`with status ${status} fails as a live provider's answer does: ${code} (P7)`, () => {
      expect(troubledResult({ ...trouble, failRate: 1, status }, 0)).to.deep.equal({
        ok: false,
        retry,
        code,
        reason: `Chaos answered ${status}`,
        status,
      })
    })
  }

  it('answers after its delay, by the clock', async () => {
    const clock = fakeClock()
    const answers: unknown[] = []
    const send = sendInTrouble({ ...trouble, failRate: 0 }, { clock, random: () => 0 })
    void send(message, new AbortController().signal).then((answer) => answers.push(answer))
    await clock.pass(4999)
    expect(answers).to.deep.equal([])
    await clock.pass(1)
    expect(answers).to.deep.equal([{ ok: true, providerId: 'captured' }])
  })

  it('is in doubt, as a live provider would be, when the attempt is given up before the answer (P9)', async () => {
    const clock = fakeClock()
    const abort = new AbortController()
    const answer = sendInTrouble(trouble, { clock, random: () => 0 })(message, abort.signal)
    await turn()
    abort.abort()
    expect(await answer).to.include({ ok: false, retry: true, code: 'timeout', ambiguous: true })
    expect(clock.waiting).to.deep.equal([])
  })

  it('of one tenant leaves the channels of another alone (security 18)', () => {
    const chaos = createChaos(new Set(['sms']), () => [TENANT, 'acme' as TenantId])
    chaos.set(TENANT, new Map([['sms', trouble]]))
    expect(chaos.of(TENANT, 'sms')).to.equal(trouble)
    expect(chaos.of(TENANT, 'email')).to.equal(undefined)
    expect(chaos.of('acme' as TenantId, 'sms')).to.equal(undefined)
    expect(chaos.everywhere('sms')).to.equal(false)
    chaos.set('acme' as TenantId, new Map([['sms', trouble]]))
    expect(chaos.everywhere('sms')).to.equal(true)
    chaos.set(TENANT, new Map())
    expect(chaos.of(TENANT, 'sms')).to.equal(undefined)
  })
})
