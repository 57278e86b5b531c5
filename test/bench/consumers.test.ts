import { expect } from 'chai'
import { existsSync } from 'node:fs'
import { consumers } from '../../bench/consumers.ts'

describe('Many consumers of live streams', function () {
  this.timeout(120_000)

  it('each hear each notification once and in order, while a tenth of the connections is cut every second [X20, R43]', async function () {
    // The load reads the memory of the program there.
    if (!existsSync('/proc/self/status')) return this.skip()
    const lines: string[] = []
    const result = await consumers({
      each: 100,
      messages: 60,
      publishesPerSecond: 60,
      print: (line) => lines.push(line),
    })
    expect(result).to.include({ consumers: 200, complete: 200, frames: 12_000, doubled: 0, missing: 0 })
    expect(result.drops).to.be.greaterThan(50)
    expect(lines[2]).to.contain('100 + 100')
  })
})
