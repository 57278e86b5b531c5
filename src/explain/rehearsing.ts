import type { Core } from '../core.ts'
import { randomIds } from '../ids.ts'

/**
 * The running program without what a rehearsal would leave behind in it: a turn at a round-robin target is looked at
 * and not taken, and identifiers are made apart. Those of the program never go back, so that one look at next year would
 * date everything after it to next year.
 */
export function rehearsing(core: Core): Core {
  return { ...core, ids: randomIds(), rounds: { ...core.rounds, took() {} } }
}
