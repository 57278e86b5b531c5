import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import type { SharedWindows } from '../rates.ts'
import { PREFIX } from './keys.ts'
import { script, type RedisLink } from './link.ts'

/**
 * One window: the instants of the places that are taken, oldest first, by the server's clock. Exact: the same rule as
 * `SlidingWindow`, in one step.
 */
export const TAKE_PLACE = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local key, most, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local first = redis.call('LINDEX', key, 0)
while first and tonumber(first) <= now - window do
  redis.call('LPOP', key)
  first = redis.call('LINDEX', key, 0)
end
local count = redis.call('LLEN', key)
if count < most then
  redis.call('RPUSH', key, string.format('%.0f', now))
  redis.call('PEXPIRE', key, window)
  return { 1, most - count - 1, 0 }
end
local place = redis.call('LINDEX', key, count - most)
return { 0, 0, tonumber(place) + window - now }
`)

/** Windows in Redis. While it is away every call answers null, with one line in the log and a count of each. */
export function createRedisWindows(
  link: RedisLink,
  log: Log,
  metrics: Pick<Metrics, 'rateFallbacks'>,
): SharedWindows {
  let alone = false
  return {
    async take(key, { maxRequests, windowMs }) {
      try {
        const reply = await link.run(TAKE_PLACE, [`${PREFIX}rate:${key}`, maxRequests, windowMs])
        alone = false
        // As the script returns it.
        const [admitted, remaining, freeInMs] = reply as [number, number, number]
        return { admitted: admitted === 1, remaining, freeInMs }
      } catch (error) {
        metrics.rateFallbacks.inc()
        if (!alone)
          log.warn({ err: error }, 'rate limits are counted by each node for itself until redis is back')
        alone = true
        return null
      }
    },
  }
}
