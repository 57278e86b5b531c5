import { loadConfig } from './load.ts'
import type { ConfigFault } from './fault.ts'
import type { LoadOptions } from './load.ts'
import type { Config } from './schema.ts'

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

const NEEDS_RESTART = ['server.host', 'server.http_port', 'server.mqtt_port', 'storage.']

const needsRestart = (path: string) =>
  NEEDS_RESTART.some((key) => path === key || (key.endsWith('.') && path.startsWith(key)))

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
  const { server, storage } = current.config
  const { host, http_port, mqtt_port } = server
  const config = {
    ...next.config,
    server: { ...next.config.server, host, http_port, mqtt_port },
    storage: { ...storage, retention: next.config.storage.retention },
  }
  const changed = differences(current.config, next.config, '')
  return {
    ok: true,
    config,
    changed,
    restart: changed.filter((path) => needsRestart(path) && !path.startsWith('storage.retention.')),
  }
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
