import type { Persistence } from '../broker/session/persistence.ts'
import type { Bus } from './bus.ts'
import type { Homes } from './homes.ts'
import type { Rates } from './rates.ts'
import type { Roll } from './roll.ts'

/** What makes several nodes one system; absent where there is only one, whose memory then is enough. */
export interface Nodes {
  readonly bus: Bus
  readonly roll: Roll
  readonly rates: Rates
  /** Which node has a session, and where sessions outlive their node. */
  readonly homes: Homes
  readonly sessions: Persistence
  close(): Promise<void>
}
