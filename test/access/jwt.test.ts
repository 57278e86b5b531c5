import { expect } from 'chai'
import { SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import { createHmac } from 'node:crypto'
import { createJwt } from '../../src/access/jwt.ts'
import { Fault } from '../../src/errors.ts'

const SECRET = Buffer.alloc(32, 1)
const NOW = Date.UTC(2026, 0, 5, 12)
const S = NOW / 1000
const GOOD: JWTPayload = { iss: 'carillon', aud: 'carillon', sub: 'anna', nbf: S, exp: S + 600 }

const jwt = createJwt({ secret: SECRET, issuer: 'carillon', audience: 'carillon', longestMs: 3_600_000 })

const sign = (payload: JWTPayload, header: object = {}, secret: Uint8Array = SECRET) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'HS256', ...header }).sign(secret)

/** Any header with any signature, as no library would make it. */
function forge(header: object, payload: JWTPayload, secret: string | Uint8Array | null): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part(header)}.${part(payload)}`
  return `${text}.${secret === null ? '' : createHmac('sha256', secret).update(text).digest('base64url')}`
}

function without(key: string): JWTPayload {
  return Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== key))
}

describe('JSON web tokens', () => {
  it('of our own are accepted until they expire', async () => {
    const { token, expiresAt } = await jwt.issue('anna', NOW, 600_000)
    expect(expiresAt).to.equal(NOW + 600_000)
    const claims = await jwt.verify(token, NOW + 599_000)
    expect(claims).to.include({ subject: 'anna', expiresAt })
    expect(await codeOf(token, NOW + 606_000)).to.equal('auth.expired')
  })

  it('of another issuer with the same secret are accepted', async () => {
    expect(await jwt.verify(await sign(GOOD), NOW)).to.deep.equal({
      subject: 'anna',
      id: '',
      expiresAt: NOW + 600_000,
    })
  })

  it('need a secret of 32 bytes (security 4)', () => {
    const options = { issuer: 'a', audience: 'b', longestMs: 1 }
    expect(() => createJwt({ ...options, secret: Buffer.alloc(31) })).to.throw(RangeError)
    expect(() => createJwt({ ...options, secret: Buffer.alloc(0) })).to.throw(RangeError)
  })

  const attacks: [what: string, token: () => string | Promise<string>, code?: string][] = [
    ['no algorithm', () => new UnsecuredJWT(GOOD).encode()],
    ['alg none', () => forge({ alg: 'none' }, GOOD, null)],
    ['alg None', () => forge({ alg: 'None' }, GOOD, null)],
    ['alg NONE and a signature', () => forge({ alg: 'NONE' }, GOOD, SECRET)],
    ['alg hs256', () => forge({ alg: 'hs256' }, GOOD, SECRET)],
    ['alg HS384', () => sign(GOOD, { alg: 'HS384' }, Buffer.alloc(48, 1))],
    ['alg HS512 with our secret', () => forge({ alg: 'HS512' }, GOOD, SECRET)],
    ['alg RS256 signed with our secret', () => forge({ alg: 'RS256' }, GOOD, SECRET)],
    ['alg missing', () => forge({ typ: 'JWT' }, GOOD, SECRET)],
    ['an empty secret', () => forge({ alg: 'HS256' }, GOOD, '')],
    ['a public key as secret', () => forge({ alg: 'HS256' }, GOOD, '-----BEGIN PUBLIC KEY-----')],
    ['no signature', () => forge({ alg: 'HS256' }, GOOD, null)],
    ['a kid that is a path', () => sign(GOOD, { kid: '../../dev/null' })],
    ['a jku', () => sign(GOOD, { jku: 'https://evil.example/keys' })],
    ['an x5u', () => sign(GOOD, { x5u: 'https://evil.example/cert' })],
    ['an embedded key', () => sign(GOOD, { jwk: { kty: 'oct', k: 'AA' } })],
    ['an unknown critical header', () => forge({ alg: 'HS256', crit: ['x'], x: 1 }, GOOD, SECRET)],
    ['another issuer', () => sign({ ...GOOD, iss: 'evil' })],
    ['another audience', () => sign({ ...GOOD, aud: 'evil' })],
    ['no issuer', () => sign(without('iss'))],
    ['no audience', () => sign(without('aud'))],
    ['no expiry', () => sign(without('exp'))],
    ['no beginning', () => sign(without('nbf'))],
    ['no subject', () => sign(without('sub'))],
    ['an empty subject', () => sign({ ...GOOD, sub: '' })],
    ['an expiry in the past', () => sign({ ...GOOD, exp: S - 60 }), 'auth.expired'],
    [
      'an expiry that is text',
      () => forge({ alg: 'HS256' }, { ...GOOD, exp: '9999999999' as never }, SECRET),
    ],
    ['an expiry in ten years', () => sign({ ...GOOD, exp: S + 315_360_000 })],
    ['a beginning in the future', () => sign({ ...GOOD, nbf: S + 60 })],
    ['9 KB', () => sign({ ...GOOD, pad: 'x'.repeat(9000) })],
    ['two parts', () => 'eyJhbGciOiJIUzI1NiJ9.e30'],
    ['no content', () => '..'],
  ]
  for (const [what, token, code = 'auth.invalid'] of attacks) {
    it(`with ${what} are refused (security 4)`, async () => {
      expect(await codeOf(await token(), NOW)).to.equal(code)
    })
  }

  it('with one flipped bit of the signature are refused (security 4)', async () => {
    const token = await sign(GOOD)
    const signature = Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')
    for (const at of [0, 15, 31]) {
      const flipped = Buffer.from(signature)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      const head = token.slice(0, token.lastIndexOf('.') + 1)
      expect(await codeOf(head + flipped.toString('base64url'), NOW)).to.equal('auth.invalid')
    }
  })
})

async function codeOf(token: string, now: number): Promise<string> {
  try {
    await jwt.verify(token, now)
    return 'accepted'
  } catch (error) {
    return error instanceof Fault ? error.code : String(error)
  }
}
