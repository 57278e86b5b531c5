import { validFilter } from '../../access/topic-filter.ts'
import type { Finding, Path } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

/** What blocks somebody says whom or where, and its topic is a filter. */
export function checkFilter({ filter }: Config): Finding[] {
  return filter.block.flatMap(({ from, topic }, index) => {
    const path: Path = ['filter', 'block', index]
    if (from === undefined && topic === undefined)
      return [{ path, message: 'name at least one of from, topic' }]
    if (topic === undefined || validFilter(topic)) return []
    return [{ path: [...path, 'topic'], message: `"${topic}" is no topic filter` }]
  })
}
