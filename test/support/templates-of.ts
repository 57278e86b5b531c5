import { formatFault } from '../../src/config/fault.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Templates } from '../../src/template/choose-part.ts'

/** The section as a configuration file with it gives it; throws on its faults. */
export function templatesOf(templates: object): Templates {
  const loaded = loadConfig({ text: JSON.stringify({ templates }), env: {}, flags: {} })
  if (!loaded.ok) throw new Error(loaded.faults.map(formatFault).join('\n'))
  return loaded.config.templates
}
