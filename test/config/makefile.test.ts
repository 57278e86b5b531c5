import { expect } from 'chai'
import { readFileSync } from 'node:fs'

describe('The Makefile', () => {
  const text = readFileSync(new URL('../../../Makefile', import.meta.url), 'utf8')
  for (const target of ['build-and-run', 'build', 'run', 'stop', 'clean']) {
    it(`has the target ${target}, which asks Docker Compose for it (N03)`, () => {
      expect(text).to.match(new RegExp(`^${target}:\\n\\tdocker compose \\w+`, 'm'))
    })
  }
})
