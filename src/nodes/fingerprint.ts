import { createHash } from 'node:crypto'
import type { Config } from '../config/schema/schema.ts'

/** What may differ from node to node: where it listens, what it logs, and where its files are. */
const OWN = new Set(['server', 'storage'])

/** A short name of what a configuration says that all nodes have to agree on; tells nothing of its secrets. */
export function fingerprintOf(config: Config): string {
  const shared = Object.entries(config).filter(([section]) => !OWN.has(section))
  return createHash('sha256').update(JSON.stringify(shared, inOrder)).digest('hex').slice(0, 12)
}

/** The same text for equal settings, in whatever order the file has them. */
function inOrder(_: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value
}
