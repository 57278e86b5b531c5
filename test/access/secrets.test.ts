import { expect } from 'chai'
import { addressKey, isLoopback } from '../../src/access/address-key.ts'
import { createBackoff } from '../../src/access/backoff.ts'
import { hashPassword, verifyPassword } from '../../src/access/password.ts'
import { createTickets } from '../../src/access/tickets.ts'
import { sameDigest, sameSecret, tokenDigest } from '../../src/access/tokens.ts'

describe('passwords', () => {
  it('are recognised plain and as scrypt, and nothing else is (security 2)', async () => {
    const stored = await hashPassword('correct horse')
    expect(stored).to.match(/^scrypt\$/)
    expect(await hashPassword('correct horse')).not.to.equal(stored)
    expect(await verifyPassword(stored, 'correct horse')).to.equal(true)
    expect(await verifyPassword(stored, 'correct horsf')).to.equal(false)
    expect(await verifyPassword('plain', 'plain')).to.equal(true)
    expect(await verifyPassword('plain', 'plaim')).to.equal(false)
  })

  it('are denied when the person is unknown or what is stored is damaged (CVE-2018-12551, security 2)', async () => {
    const good = await hashPassword('x')
    for (const stored of [
      undefined,
      '',
      'scrypt$',
      'scrypt$$',
      good.slice(0, -3),
      `${good}A`,
      'scrypt$a$b$c',
    ]) {
      expect(await verifyPassword(stored, 'x'), String(stored)).to.equal(false)
      expect(await verifyPassword(stored, ''), String(stored)).to.equal(false)
    }
  })

  it('cost one derivation for every no, so that its time tells nothing (security 2)', async () => {
    const good = await hashPassword('right')
    const cpuOf = async (stored: string | undefined) => {
      const before = process.cpuUsage()
      await verifyPassword(stored, 'wrong')
      const { user, system } = process.cpuUsage(before)
      return user + system
    }
    await cpuOf(undefined)
    const [unknown, plain, hashed] = [await cpuOf(undefined), await cpuOf('right'), await cpuOf(good)]
    // A no without a derivation takes a hundredth of one; the factor leaves room for a busy machine.
    for (const other of [plain, hashed]) expect(other / unknown).to.be.within(0.2, 5)
  })

  it('refuse an absurdly long one without working on it', async () => {
    expect(await verifyPassword('x', 'x'.repeat(1025))).to.equal(false)
  })
})

describe('token digests', () => {
  it('are SHA-256 and equal only to themselves (security 33)', () => {
    expect(Buffer.from(tokenDigest('abc')).toString('hex')).to.equal(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
    expect(sameDigest(tokenDigest('a'), tokenDigest('a'))).to.equal(true)
    expect(sameDigest(tokenDigest('a'), tokenDigest('b'))).to.equal(false)
    expect(sameDigest(tokenDigest('a'), tokenDigest('a').slice(1))).to.equal(false)
    expect(sameSecret('a', 'a')).to.equal(true)
    expect(sameSecret('a', 'aa')).to.equal(false)
  })
})

describe('tickets', () => {
  it('are good once, until they expire, and only if they were issued (contract section 3)', () => {
    const tickets = createTickets<string>({ capacity: 10, lifetimeMs: 60_000 })
    const first = tickets.issue('anna', 1000)
    expect(first.expiresAt).to.equal(61_000)
    expect(first.ticket).to.match(/^[\w-]{43}$/)
    expect(tickets.redeem('nonsense', 1000)).to.equal(null)
    expect(tickets.redeem(first.ticket, 60_999)).to.equal('anna')
    expect(tickets.redeem(first.ticket, 60_999)).to.equal(null)
    const late = tickets.issue('anna', 1000)
    expect(tickets.redeem(late.ticket, 61_000)).to.equal(null)
  })

  it('give way, oldest first, when too many are out', () => {
    const tickets = createTickets<number>({ capacity: 2, lifetimeMs: 60_000 })
    const [a, b, c] = [1, 2, 3].map((value) => tickets.issue(value, value).ticket)
    expect(tickets.redeem(a ?? '', 5)).to.equal(null)
    expect(tickets.redeem(b ?? '', 5)).to.equal(2)
    expect(tickets.redeem(c ?? '', 5)).to.equal(3)
  })
})

describe('backing off', () => {
  const options = { free: 3, firstMs: 1000, longestMs: 4000, forgetMs: 60_000, capacity: 2 }

  it('lets a few failures pass and then doubles the wait up to its longest (security 2)', () => {
    const backoff = createBackoff(options)
    const waits = Array.from({ length: 7 }, () => {
      backoff.failed('k', 0)
      return backoff.waitMs('k', 0)
    })
    expect(waits).to.deep.equal([0, 0, 1000, 2000, 4000, 4000, 4000])
    expect(backoff.waitMs('k', 3999)).to.equal(1)
    expect(backoff.waitMs('k', 4000)).to.equal(0)
    expect(backoff.waitMs('other', 0)).to.equal(0)
  })

  it('starts anew after a success and after a long time', () => {
    const backoff = createBackoff(options)
    for (let i = 0; i < 5; i++) backoff.failed('k', 0)
    backoff.succeeded('k')
    expect(backoff.waitMs('k', 0)).to.equal(0)
    for (let i = 0; i < 5; i++) backoff.failed('k', 0)
    backoff.failed('k', 60_000)
    expect(backoff.waitMs('k', 60_000)).to.equal(0)
  })

  it('remembers only so many keys (security 27)', () => {
    const backoff = createBackoff(options)
    for (const key of ['a', 'b', 'c']) for (let i = 0; i < 3; i++) backoff.failed(key, 0)
    expect(['a', 'b', 'c'].map((key) => backoff.waitMs(key, 0))).to.deep.equal([0, 1000, 1000])
  })
})

describe('address keys', () => {
  const keys: [address: string, key: string][] = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
  ]
  for (const [address, key] of keys) {
    it(`${address} counts as ${key} (security 27)`, () => expect(addressKey(address)).to.equal(key))
  }

  it('knows the machine itself', () => {
    for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
      expect(isLoopback(address), address).to.equal(true)
    }
    for (const address of ['10.0.0.1', '::2', '']) expect(isLoopback(address), address).to.equal(false)
  })
})
