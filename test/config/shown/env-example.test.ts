import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { envExample } from '../../../src/config/shown/env-example.ts'
import { formatFault } from '../../../src/config/fault.ts'
import { loadConfig } from '../../../src/config/load.ts'

describe('the example of the environment', () => {
  it('stands at the top as it is generated (N03)', () => {
    expect(readFileSync('.env.example', 'utf8')).to.equal(envExample())
  })

  it('names variables that count, with values that are taken (N03)', () => {
    const lines = envExample().split('\n')
    const named = lines.flatMap((line) => /^# (CARILLON_\w+)=(.*)$/.exec(line)?.slice(1) ?? [])
    const pairs = Array.from({ length: named.length / 2 }, (_, index) => [
      named[2 * index] ?? '',
      (named[2 * index + 1] ?? '').replace(/^'(.*)'$/, '$1'),
    ])
    const env = Object.fromEntries(
      pairs.filter(([name, value]) => value !== '' && name !== 'CARILLON_CONFIG'),
    )
    expect(Object.keys(env)).to.include.members(['CARILLON_HTTP_PORT', 'CARILLON__LIMITS__CONNECTIONS'])
    const loaded = loadConfig({ text: '{}', env, flags: {} })
    expect(loaded.ok ? [] : loaded.faults.map(formatFault)).to.deep.equal([])
    const plain = loadConfig({ text: '{}', env: {}, flags: {} })
    expect(loaded.ok && loaded.config).to.deep.equal(plain.ok && plain.config)
  })
})
