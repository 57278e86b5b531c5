import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import type { Nodes } from '../nodes.ts'
import { createRates } from '../rates.ts'
import { RedisLink } from './link.ts'
import { createRedisHomes } from './redis-homes.ts'
import { RedisPersistence } from './redis-persistence.ts'
import { CALL_ROLL, createRedisRoll } from './redis-roll.ts'
import { createRedisWindows, TAKE_PLACE } from './redis-windows.ts'
import { CHANGE, TAKE_HOME, TAKE_WILLS } from './session-script.ts'
import { createStreamBus } from './stream-bus.ts'

/** How long the start waits for Redis: without it a node is a node all the same. */
const PATIENCE_MS = 3000

/**
 * Joins the nodes that share a Redis. It holds nothing that must not be lost: while it is away, and after it has lost
 * everything, each node goes on with the store alone.
 */
export async function joinNodes(options: {
  readonly url: string
  readonly node: string
  readonly log: Log
  readonly metrics: Metrics
}): Promise<Nodes> {
  const { url, node, log, metrics } = options
  const scripts = [CHANGE, TAKE_HOME, TAKE_WILLS, CALL_ROLL, TAKE_PLACE]
  // One connection for everything that is written, so that it arrives in its order.
  const link = new RedisLink({ url, log, name: 'state', scripts })
  await link.open(PATIENCE_MS)
  const bus = await createStreamBus({ node, url, log, writer: link })
  return {
    bus,
    roll: createRedisRoll(link),
    rates: createRates(createRedisWindows(link, log, metrics)),
    homes: createRedisHomes(link, node),
    sessions: new RedisPersistence(link, node),
    async close() {
      await bus.close()
      link.close()
    },
  }
}
