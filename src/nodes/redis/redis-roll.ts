import { LIFE_MS, type NodeEntry, type Roll } from '../roll.ts'
import { PREFIX } from './keys.ts'
import { script, type RedisLink } from './link.ts'

const ENTRIES = `${PREFIX}nodes`
const UNTIL = `${PREFIX}nodes:until`
/** How far each node has heard the bus, also of those that are gone. */
export const HEARD = `${PREFIX}nodes:heard`

/** By the server's clock, so that those of the nodes need not agree. */
export const CALL_ROLL = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local node, entry, position, life = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local before = redis.call('ZSCORE', '${UNTIL}', node)
redis.call('ZADD', '${UNTIL}', now + life, node)
redis.call('HSET', '${ENTRIES}', node, entry)
redis.call('HSET', '${HEARD}', node, position)
local present = {}
for _, other in ipairs(redis.call('ZRANGEBYSCORE', '${UNTIL}', '(' .. string.format('%.0f', now), '+inf')) do
  present[#present + 1] = redis.call('HGET', '${ENTRIES}', other) or '{}'
end
local gone = redis.call('ZRANGEBYSCORE', '${UNTIL}', '-inf', string.format('%.0f', now))
local known = before and tonumber(before) > now
return { known and 1 or 0, present, gone }
`)

/** A {@link Roll} in Redis; every call rejects while that is away. */
export function createRedisRoll(link: RedisLink): Roll {
  return {
    async call(entry, position) {
      const reply = await link.run(CALL_ROLL, [entry.node, JSON.stringify(entry), position, LIFE_MS])
      // As the script returns it.
      const [known, present, gone] = reply as [number, Buffer[], Buffer[]]
      return {
        unknown: known === 0,
        present: present.map((text) => JSON.parse(text.toString()) as NodeEntry),
        gone: gone.map(String),
      }
    },
    async leave(node) {
      await link.call('ZADD', UNTIL, 0, node)
    },
    async forget(node) {
      await link.call('ZREM', UNTIL, node)
      await link.call('HDEL', ENTRIES, node)
      await link.call('HDEL', HEARD, node)
    },
  }
}
