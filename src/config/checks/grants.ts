import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

/** What is wrong with an MQTT topic filter (MQTT 3.1.1 section 4.7), or null. */
export function filterFault(filter: string): string | null {
  if (filter === '') return 'an empty topic filter'
  if (Buffer.byteLength(filter) > 512) return 'a topic filter has at most 512 bytes'
  if (/\p{Cc}/u.test(filter)) return 'a topic filter must not hold control characters'
  const levels = filter.split('/')
  if (levels.slice(0, -1).some((level) => level.includes('#'))) return '# may only be the last level'
  if (levels.at(-1)?.includes('#') && levels.at(-1) !== '#') return '# must be a level of its own'
  return levels.some((level) => level.includes('+') && level !== '+') ? '+ must be a level of its own' : null
}

export function checkGrants(config: Config): Finding[] {
  return Object.entries(config.clients).flatMap(([id, client]) =>
    (['publish', 'subscribe'] as const).flatMap((key) =>
      client[key].flatMap((filter, index) => {
        const wrong = filterFault(filter)
        return wrong === null
          ? []
          : [{ path: ['clients', id, key, index], message: `bad topic filter "${filter}": ${wrong}` }]
      }),
    ),
  )
}
