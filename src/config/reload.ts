import { loadConfig } from './load.ts'
import type { ConfigFault } from './fault.ts'
import type { LoadOptions } from './load.ts'
import type { Config } from './schema/schema.ts'

export type Reloaded =
  | {
      readonly ok: true
      /** What is to be in force now: the new values, but for those of `restart`. */
      readonly config: Config
      /** Paths of everything that differs from before, without the values. */
      readonly changed: readonly string[]
      /** The part of `changed` that a running program keeps as it was until it is started anew. */
      readonly restart: readonly string[]
    }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] }

/** What a running program has built itself on; everything else it asks the configuration for every time. */
const NEEDS_RESTART = [
  ['server', 'host'],
  ['server', 'http_port'],
  ['server', 'mqtt_port'],
  ['server', 'public_url'],
  ['server', 'trusted_proxies'],
  ['storage', 'driver'],
  ['storage', 'path'],
  ['storage', 'url'],
  ['storage', 'redis_url'],
  ['storage', 'ballast_mb'],
  ['auth', 'jwt'],
  ['limits'],
  ['channels'],
] as const

const needsRestart = (path: string) =>
  NEEDS_RESTART.some((keys) => path === keys.join('.') || path.startsWith(`${keys.join('.')}.`))

/**
 * Reads the configuration again and says what is different. With faults the current one stays (contract section 1,
 * P28). A demo that still has no file keeps its credentials. Changes nothing itself.
 */
export function reloadConfig(
  current: { readonly config: Config; readonly demo: boolean },
  options: LoadOptions,
): Reloaded {
  const next = loadConfig(options)
  if (!next.ok) return next
  if (next.demo && current.demo) return { ok: true, config: current.config, changed: [], restart: [] }
  const changed = differences(current.config, next.config, '')
  return {
    ok: true,
    config: NEEDS_RESTART.reduce((config, keys) => keeping(config, current.config, keys), next.config),
    changed,
    restart: changed.filter(needsRestart),
  }
}

/** The configuration with the value that another one has at this place, or without one if that has none. */
function keeping<Value>(config: Value, from: Value, keys: readonly string[]): Value {
  const [key, ...rest] = keys
  if (key === undefined || !isMap(config) || !isMap(from)) return from
  const { [key]: old, ...others } = config
  // Only values of one type are put together here, at places that its schema has.
  if (!(key in from)) return others as Value
  return { ...others, [key]: keeping(old, from[key], rest) } as Value
}

function differences(before: unknown, after: unknown, path: string): string[] {
  if (!isMap(before) || !isMap(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [path]
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys.flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`))
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
