import { expect } from 'chai'
import { arrivedInTime, nextCanaryAt, whyNot } from '../../src/canary/canary.ts'
import { NOON } from '../alert/an-alert.ts'

const row = { channel: 'sms', state: 'sent', createdAt: NOON, sentAt: NOON + 1000 } as const

describe('A canary page', () => {
  const times = [
    ['at once when there was none', undefined, NOON],
    ['an interval after the last one', NOON - 10, NOON + 90],
    ['once for all that were missed while nothing ran', NOON - 1000, NOON],
  ] as const
  for (const [what, sentAt, due] of times)
    it(`is due ${what}`, () => {
      const last = sentAt === undefined ? undefined : { sentAt }
      expect(nextCanaryAt(last, 100, NOON)).to.equal(due)
    })

  const rows = [
    ['taken in time', [row], true],
    ['delivered', [{ ...row, state: 'delivered' }], true],
    ['taken too late', [{ ...row, sentAt: NOON + 1001 }], false],
    ['taken on another channel', [{ ...row, channel: 'email' }], false],
    ['given up', [{ ...row, state: 'dead', sentAt: null }], false],
    ['under way', [{ ...row, state: 'sending', sentAt: null }], false],
    ['never possible', [], false],
  ] as const
  for (const [what, given, arrived] of rows)
    it(`${what} has ${arrived ? '' : 'not '}arrived`, () => {
      expect(arrivedInTime(given, 'sms', 1000)).to.equal(arrived)
    })

  it('on push arrives in a browser as well', () => {
    expect(arrivedInTime([{ ...row, channel: 'web_push' }], 'push', 1000)).to.equal(true)
  })

  it('that did not arrive says why', () => {
    const dead = { channel: 'sms', state: 'dead', reason: 'rejected', error: 'No credit' } as const
    expect(whyNot([dead], 'sms')).to.equal('dead, rejected, No credit')
    expect(whyNot([dead], 'email')).to.equal('the person has no address or device there')
  })
})
