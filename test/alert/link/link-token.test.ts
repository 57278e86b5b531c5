import { expect } from 'chai'
import { readLink, signLink, type LinkKeys } from '../../../src/alert/link/link-token.ts'

const ALERT = '01890a5d-ac96-774b-bcce-b302099a8057'
const NOON = Date.UTC(2026, 0, 5, 12)
const keys: LinkKeys = { current: 2, secrets: new Map([[2, Buffer.alloc(32, 7)]]) }
const claims = { alertId: ALERT, ordinal: 3, expiresAt: NOON }
const sign = (given: Partial<typeof claims> = {}, by = keys) => signLink({ ...claims, ...given }, by) ?? ''

describe('The token of a signed link (security row 24)', () => {
  it('says what it was made for, and is short enough for a text message', () => {
    expect(sign()).to.match(/^[A-Za-z0-9_-]{54}$/)
    expect(readLink(sign(), keys, NOON - 1)).to.deep.equal({ kind: 'valid', claims })
  })

  it('opens nothing from its expiry on', () => {
    expect(readLink(sign(), keys, NOON)).to.deep.equal({ kind: 'expired', claims })
  })

  it('is forged with any other character in any place, with one more and with one less', () => {
    const token = sign()
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (let at = 0; at < token.length; at++) {
      for (const other of alphabet) {
        if (other === token[at]) continue
        const tampered = token.slice(0, at) + other + token.slice(at + 1)
        expect(readLink(tampered, keys, NOON - 1), `${at} ${other}`).to.deep.equal({ kind: 'forged' })
      }
    }
    for (const wrong of ['', token.slice(1), `${token}A`, `${token}==`, ` ${token}`, 'a'.repeat(10_000)])
      expect(readLink(wrong, keys, NOON - 1)).to.deep.equal({ kind: 'forged' })
  })

  it('is forged under another secret, and still good while the key that signed it is known', () => {
    const next = new Map([[3, Buffer.alloc(32, 9)]])
    expect(readLink(sign(), { current: 3, secrets: next }, NOON - 1).kind).to.equal('forged')
    expect(
      readLink(sign(), { current: 3, secrets: new Map([...keys.secrets, ...next]) }, NOON - 1).kind,
    ).to.equal('valid')
    expect(
      readLink(sign(), { current: 2, secrets: new Map([[2, Buffer.alloc(32, 9)]]) }, NOON - 1).kind,
    ).to.equal('forged')
  })

  it('is not made for what it has no room for', () => {
    expect(signLink({ ...claims, alertId: 'a1' }, keys)).to.equal(null)
    expect(signLink({ ...claims, ordinal: 2 ** 24 }, keys)).to.equal(null)
    expect(signLink({ ...claims, expiresAt: 2 ** 32 * 1000 }, keys)).to.equal(null)
    expect(signLink(claims, { current: 1, secrets: new Map() })).to.equal(null)
  })
})
