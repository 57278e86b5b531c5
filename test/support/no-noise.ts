import type { Core } from '../../src/core.ts'

/** Nothing keeps any alert quiet. */
export const noNoise: Pick<Core, 'noise' | 'reconsider'> = {
  noise: {
    quietOf: () => null,
    releaseOf: () => ({ graceMs: 0, closes: false }),
    opened() {},
    flapsFor: () => null,
    followersOf: () => [],
  },
  reconsider: () => Promise.resolve(),
}
