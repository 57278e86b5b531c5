import { configJsonSchema } from '../config/shown/editor-schema.ts'
import { formatFault } from '../config/fault.ts'
import { loadConfig } from '../config/load.ts'
import { maskSecrets, printConfig } from '../config/shown/print.ts'
import { paint } from './terminal.ts'
import type { Flags } from '../config/reading/overrides.ts'
import type { Terminal } from './terminal.ts'

export interface ConfigVerbOptions extends Flags {
  readonly json?: boolean
}

/** Says whether a start would take the configuration: exit code 0, or 2 with every fault on standard error. */
export function checkConfiguration(options: ConfigVerbOptions, terminal: Terminal): number {
  const loaded = loadConfig({ env: terminal.env, flags: options })
  if (options.json === true) {
    terminal.write(`${JSON.stringify(loaded.ok ? { ok: true } : { ok: false, faults: loaded.faults })}\n`)
    return loaded.ok ? 0 : 2
  }
  if (!loaded.ok) return complain(loaded.faults.map(formatFault), terminal)
  terminal.write(
    `${loaded.file ?? 'no file: the demo would run'}${loaded.file === null ? '' : ': no faults'}\n`,
  )
  return 0
}

/** Shows what is in force, every secret masked. */
export function printConfiguration(options: ConfigVerbOptions, terminal: Terminal): number {
  const loaded = loadConfig({ env: terminal.env, flags: options })
  if (!loaded.ok) return complain(loaded.faults.map(formatFault), terminal)
  terminal.write(
    options.json === true ? `${JSON.stringify(maskSecrets(loaded.config))}\n` : printConfig(loaded.config),
  )
  return 0
}

export function printSchema(terminal: Terminal): number {
  terminal.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
  return 0
}

function complain(faults: readonly string[], terminal: Terminal): 2 {
  for (const fault of faults) terminal.complain(`${paint(terminal, 'red', fault)}\n`)
  return 2
}
