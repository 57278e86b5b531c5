import { expect } from 'chai'
import { parsePayload } from '../../src/router/parse-payload.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const nestedObjects = (depth: number) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
const keys = (count: number) => `{${Array.from({ length: count }, (_, index) => `"k${index}":[]`).join(',')}}`

describe('payload parsing', () => {
  it('gives the JSON of the bytes, and an empty object for an empty payload', () => {
    expect(parsePayload(new Uint8Array())).to.deep.equal({ ok: true, value: {} })
    const texts = [
      '{"message":"Grüße 🔔","data":{"n":[1,null,true]}}',
      '[1,2]',
      '"text"',
      '12',
      'null',
      ' {} ',
    ]
    for (const text of texts) {
      expect(parsePayload(bytes(text)), text).to.deep.equal({ ok: true, value: JSON.parse(text) })
    }
  })

  it('reads only its own bytes of a larger buffer', () => {
    const packet = bytes('xx{"message":"hi"}yy')
    expect(parsePayload(packet.subarray(2, packet.length - 2))).to.deep.equal({
      ok: true,
      value: { message: 'hi' },
    })
  })

  it('refuses what is no JSON or no UTF-8, and never throws', () => {
    const table: Uint8Array[] = [
      bytes('not json'),
      bytes('{"message":'),
      bytes("{'message':1}"),
      bytes('{"a":1}}'),
      bytes('\0'),
      Uint8Array.of(0x22, 0xc3, 0x28, 0x22),
      Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22),
      Uint8Array.of(0x22, 0xc0, 0xaf, 0x22),
      bytes('['.repeat(128 * 1024)),
    ]
    for (const payload of table) {
      expect(parsePayload(payload)).to.deep.equal({ ok: false, code: 'publish.invalid_json' })
    }
  })

  it('takes 32 levels and 1,000 keys and refuses one more (security 13)', () => {
    for (const text of [nested(32), nestedObjects(32), keys(1000)])
      expect(parsePayload(bytes(text)).ok).to.equal(true)
    for (const text of [nested(33), nestedObjects(33), keys(1001), nested(60_000)]) {
      expect(parsePayload(bytes(text)), text.slice(0, 20)).to.deep.equal({
        ok: false,
        code: 'publish.too_deep',
      })
    }
    const spread = `[${Array.from({ length: 501 }, () => '{"a":1,"b":2}').join(',')}]`
    expect(parsePayload(bytes(spread)).ok).to.equal(false)
  })

  it('drops keys that could pollute a prototype, at any level and however they are spelt (security 28)', () => {
    const text =
      '{"__proto__":{"admin":true},"a":[{"constructor":{"prototype":{"x":1}}}],"\\u005f_proto__":1,"prototype":2,"b":3}'
    expect(parsePayload(bytes(text))).to.deep.equal({ ok: true, value: { a: [{}], b: 3 } })
    expect(({} as Record<string, unknown>)['admin']).to.equal(undefined)
  })
})
