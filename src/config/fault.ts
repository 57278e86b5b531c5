import { showReferences } from './reading/interpolation.ts'

/** Where something stands in the configuration: keys and list positions from the top. */
export type Path = readonly (string | number)[]

/** What is wrong with one value, before it is known where that value was written. */
export interface Finding {
  readonly path: Path
  readonly message: string
  /** The word that was probably meant. */
  readonly suggestion?: string | undefined
  /** Points at the key instead of its value. */
  readonly atKey?: boolean
}

/** One fault of the configuration, ready to be shown (contract section 1). */
export interface ConfigFault {
  /** `carillon.yaml:3:5`, an environment variable or a flag. */
  readonly at: string
  /** Such as `teams.platform.escalation.steps[1].notify[0]`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
  readonly suggestion?: string
}

/** `file:line:column path: what is wrong (did you mean "…"?)`. */
export function formatFault(fault: ConfigFault): string {
  const where = fault.path === '' ? `${fault.at}:` : `${fault.at} ${fault.path}:`
  const hint = fault.suggestion === undefined ? '' : ` (did you mean "${fault.suggestion}"?)`
  // Values and keys are quoted as they stand in the file; control characters would steer the reader's terminal.
  return `${where} ${fault.message}${hint}`.replace(/\p{Cc}/gu, (sign) => JSON.stringify(sign).slice(1, -1))
}

/** Writes a path as people do: `teams.platform.schedule.layers[0]`; odd keys in quotes. */
export function formatPath(path: Path): string {
  let out = ''
  for (const part of path) {
    const segment = typeof part === 'string' ? showReferences(part) : part
    if (typeof segment === 'number') out += `[${segment}]`
    else if (/^[^\s.[\]"\p{Cc}]+$/u.test(segment)) out += out === '' ? segment : `.${segment}`
    else out += `[${JSON.stringify(segment)}]`
  }
  return out
}

/** Whether `path` is `ancestor` or something inside it. */
export function isWithin(path: Path, ancestor: Path): boolean {
  return ancestor.length <= path.length && ancestor.every((segment, index) => path[index] === segment)
}
