import { expect } from 'chai'
import type { DeviceDoc } from '../../src/devices/devices.ts'
import { endsSoon, WARN_MS } from '../../src/devices/expiring.ts'
import { browser } from '../support/browser.ts'

const NOON = Date.UTC(2026, 0, 5, 12)
const { subscription } = browser('https://updates.push.services.mozilla.com/wpush/v2/abc')

describe('the end of a browser’s subscription', () => {
  const cases: readonly [what: string, inMs: number | null, doc: Partial<DeviceDoc>, told: boolean][] = [
    ['that does not say when', null, {}, false],
    ['in a week and a moment', WARN_MS + 1, {}, false],
    ['in a week', WARN_MS, {}, true],
    ['in a moment', 1, {}, true],
    ['that is now', 0, {}, false],
    ['in a week that was told', WARN_MS, { warnedOf: NOON + WARN_MS }, false],
    ['in a week where an earlier one was told', WARN_MS, { warnedOf: NOON - 1 }, true],
    ['of a phone', null, { target: { channel: 'push', token: 'one' } }, false],
  ]
  for (const [what, inMs, wish, told] of cases) {
    it(`is ${told ? 'told' : 'not told'}: one ${what} (N10)`, () => {
      const ends = inMs === null ? {} : { expirationTime: NOON + inMs }
      const doc: DeviceDoc = {
        platform: 'web',
        name: null,
        target: { channel: 'web_push', subscription: { ...subscription, ...ends } },
        createdAt: NOON,
        seenAt: NOON,
        ...wish,
      }
      expect(endsSoon(doc, NOON)).to.equal(told && inMs !== null ? NOON + inMs : null)
    })
  }
})
