import type { Core } from '../../src/core.ts'
import { createGroups } from '../../src/noise/grouping/groups.ts'

const noGroups = createGroups([])

/** Nothing keeps any alert quiet. */
export const noNoise: Pick<Core, 'noise' | 'reconsider'> = {
  noise: {
    quietOf: () => null,
    releaseOf: () => ({ graceMs: 0, closes: false }),
    opened() {},
    flapsFor: () => null,
    groups: () => noGroups,
    floods: () => false,
    followersOf: () => [],
  },
  reconsider: () => Promise.resolve(),
}
