import { expect } from 'chai'
import type { TenantId } from '../../src/access/principal.ts'
import { dutiesOf } from '../../src/board/duties-of.ts'
import { loadConfig } from '../../src/config/load.ts'
import { buildDirectory } from '../../src/directory/build.ts'

const DEFAULT = 'default' as TenantId
const at = (text: string) => Date.parse(text)

describe('who is on duty, for the board', () => {
  const loaded = loadConfig({
    text: `
users: { anna: {}, bob: {} }
teams:
  platform:
    alert_types: ["*"]
    schedule:
      timezone: UTC
      layers: [{ rotate: [anna], start: 2026-03-02, every: 1d, handoff: "09:00" }]
      overrides: [{ user: bob, from: 2026-03-01T00:00, to: 2026-03-01T12:00 }]
    escalation: { steps: [{ notify: [oncall], wait: 5m }] }
`,
    env: {},
    flags: {},
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  const directory = buildDirectory(loaded.config)
  const duties = dutiesOf(() => directory)
  const next = (instant: string) => duties.nextOnCall('platform', DEFAULT, at(instant))

  it('names the next one in a gap as well, or nobody would look at its end', () => {
    expect(duties.currentShift('platform', DEFAULT, at('2026-03-01T13:00Z'))).to.equal(null)
    expect(next('2026-03-01T13:00Z')).to.deep.equal({ user: 'anna', from: at('2026-03-02T09:00Z') })
  })

  it('says when the next one really begins, not when this one ends', () => {
    expect(next('2026-03-01T06:00Z')).to.deep.equal({ user: 'anna', from: at('2026-03-02T09:00Z') })
  })

  it('names nobody when no one else ever follows', () => {
    expect(next('2026-03-03T00:00Z')).to.equal(null)
  })
})
