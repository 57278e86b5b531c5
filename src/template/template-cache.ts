import type { TemplateFormat } from './liquid-engines.ts'
import { compileTemplate, type Compilation } from './template.ts'

/** Compiles a template, or finds it compiled. */
export type Compile = (source: string, format: TemplateFormat) => Compilation

/** Characters of all templates that are kept together; compiled they take about ten times as many bytes. */
const MOST_KEPT = 2_000_000
/** What an entry costs beside its characters. */
const ENTRY = 200

/** A memory of compiled templates that forgets the one that was asked for the longest ago. */
export function createTemplateCache(mostKept: number = MOST_KEPT): Compile {
  const kept = new Map<string, Compilation>()
  let size = 0
  return (source, format) => {
    const key = `${format}:${source}`
    const found = kept.get(key)
    const compilation = found ?? compileTemplate(source, format)
    // Taken out and put in again it is the youngest.
    if (found) kept.delete(key)
    else size += key.length + ENTRY
    kept.set(key, compilation)
    for (const old of kept.keys()) {
      if (size <= mostKept || old === key) break
      kept.delete(old)
      size -= old.length + ENTRY
    }
    return compilation
  }
}
