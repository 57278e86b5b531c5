import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { checkConfig } from './checks/index.ts'
import { demoSettings } from './demo.ts'
import { readDocument } from './reading/document.ts'
import { formatPath, isWithin } from './fault.ts'
import { applyOverrides, readOverrides } from './reading/overrides.ts'
import { fillIn, isRawMap } from './reading/raw.ts'
import { configNode } from './reading/schema-node.ts'
import { settle } from './reading/settle.ts'
import type { SourceDocument } from './reading/document.ts'
import type { ConfigFault, Finding, Path } from './fault.ts'
import type { Flags, Override } from './reading/overrides.ts'
import type { Environment } from './reading/raw.ts'
import type { Config } from './schema/schema.ts'

export interface LoadOptions {
  /** The file's name. Unless set: `--config`, `CARILLON_CONFIG`, or `./carillon.yaml` if that is there. */
  readonly file?: string | undefined
  /** The file's content; read from disk unless set. */
  readonly text?: string | undefined
  readonly env: Environment
  readonly flags: Flags
}

/** Where a value came from; a path that is not listed has its default. */
export interface Source {
  readonly from: 'file' | 'environment' | 'flag'
  /** `carillon.yaml:3:5`, the variable or the flag. */
  readonly at: string
}

export type Loaded =
  | {
      readonly ok: true
      readonly config: Config
      /** By path as {@link formatPath} writes it; of every value that is not a default. */
      readonly sources: ReadonlyMap<string, Source>
      /** Nothing was configured: the demo runs, with credentials of its own. */
      readonly demo: boolean
      /** The file that was read; null in the demo. */
      readonly file: string | null
    }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] }

const DEFAULT_FILE = './carillon.yaml'

/**
 * Reads the configuration: flag beats environment beats file beats default (contract section 1). Without a file it
 * is the demo. On a fault nothing is loaded and all faults are told at once, in the order of the file. Reads files,
 * writes none, never throws.
 */
export function loadConfig(options: LoadOptions): Loaded {
  const { env, flags } = options
  const chosen = chooseFile(options)
  if ('at' in chosen) return { ok: false, faults: [chosen] }
  const name = chosen.file?.replace(/^\.\//, '') ?? 'demo'
  const document = chosen.text === null ? null : readDocument(chosen.text)
  const faults = new Faults(name, document)
  for (const { line, column, message } of document?.syntaxFaults ?? []) {
    faults.list.push({ at: `${name}:${line}:${column}`, path: '', message })
  }
  if (document && document.value === undefined) return faults.answer()

  const renamed = (path: Path, writtenAs: string) => faults.rename(path, writtenAs)
  const spoilt = (path: Path) => faults.spoil(path)
  const report = (finding: Finding) => faults.report(finding)
  const written = document ? fillIn(document.value ?? {}, { env, report, renamed }) : demoSettings()
  const { overrides, faults: misnamed } = readOverrides(written, env, flags)
  faults.list.push(...misnamed)
  faults.overrides = overrides
  // Relative to the file that names it, wherever the program was started.
  const base = chosen.file === null ? '.' : dirname(chosen.file)
  const readSecret = (path: string) => readFileSync(resolve(base, path), 'utf8')
  const raw = applyOverrides(written, overrides)
  // `settle` reports whatever does not have the schema's type and puts something that has in its place.
  const config = settle(configNode, raw, [], { report, readSecret, renamed, spoilt }) as Config
  faults.closeShape()

  const mode = {
    demo: document === null,
    failpoint: (env['CARILLON_FAILPOINT'] ?? '') !== '',
    pathWritten: isRawMap(written) && isRawMap(written['storage']) && 'path' in written['storage'],
  }
  for (const finding of checkConfig(config, mode)) faults.report(finding)
  if (faults.list.length > 0) return faults.answer()
  const sources = new Map<string, Source>()
  collectSources(raw, [], (path) => sources.set(formatPath(path), faults.sourceOf(path)))
  return { ok: true, config, sources, demo: mode.demo, file: chosen.file }
}

/** The file to read, or null for the demo, or why neither is possible. */
function chooseFile(options: LoadOptions): { file: string | null; text: string | null } | ConfigFault {
  const { env, flags } = options
  const named =
    options.file !== undefined
      ? { file: options.file, at: options.file }
      : flags.config !== undefined
        ? { file: flags.config, at: '--config' }
        : env['CARILLON_CONFIG'] !== undefined && env['CARILLON_CONFIG'] !== ''
          ? { file: env['CARILLON_CONFIG'], at: 'CARILLON_CONFIG' }
          : null
  if (flags.demo === true) {
    if (flags.config === undefined) return { file: null, text: null }
    return { at: '--demo', path: '', message: 'the demo takes no --config; leave one of them out' }
  }
  if (options.text !== undefined) return { file: named?.file ?? DEFAULT_FILE, text: options.text }
  if (named === null && !existsSync(DEFAULT_FILE)) return { file: null, text: null }
  const { file, at } = named ?? { file: DEFAULT_FILE, at: DEFAULT_FILE }
  try {
    return { file, text: readFileSync(file, 'utf8') }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    return { at, path: '', message: `cannot read ${file} (${code})` }
  }
}

/** Gathers faults and knows where each value was written. */
class Faults {
  readonly list: ConfigFault[] = []
  overrides: readonly Override[] = []
  private readonly name: string
  private readonly document: SourceDocument | null
  private readonly writtenAs = new Map<string, string>()
  private readonly misshapen: Path[] = []
  private shapeIsOpen = true

  constructor(name: string, document: SourceDocument | null) {
    this.name = name
    this.document = document
  }

  rename(path: Path, writtenAs: string): void {
    this.writtenAs.set(JSON.stringify(path), writtenAs)
  }

  spoil(path: Path): void {
    this.misshapen.push(path)
  }

  report({ path, message, suggestion, atKey }: Finding): void {
    if (this.shapeIsOpen) this.spoil(path)
    // What stands in for a value of the wrong shape says nothing about the configuration.
    else if (this.misshapen.some((ancestor) => isWithin(path, ancestor))) return
    const { at } = this.sourceOf(path, atKey === true ? 'key' : 'value')
    this.list.push({
      at,
      path: formatPath(this.asWritten(path)),
      message,
      ...(suggestion !== undefined && { suggestion }),
    })
  }

  /** From here on findings are about the meaning of values. */
  closeShape(): void {
    this.shapeIsOpen = false
  }

  sourceOf(path: Path, part: 'key' | 'value' = 'value'): Source {
    const over = this.overrides.findLast((candidate) => isWithin(path, candidate.path))
    if (over) return over
    if (!this.document) return { from: 'file', at: this.name }
    const { line, column } = this.document.locate(this.asWritten(path), part)
    return { from: 'file', at: `${this.name}:${line}:${column}` }
  }

  answer(): Loaded {
    const order = (fault: ConfigFault) => {
      const match = /:([0-9]+):([0-9]+)$/.exec(fault.at)
      return match ? Number(match[1]) * 1_000_000 + Number(match[2]) : Number.MAX_SAFE_INTEGER
    }
    const sorted = this.list.toSorted((a, b) => order(a) - order(b))
    return { ok: false, faults: sorted }
  }

  private asWritten(path: Path): Path {
    return path.map((segment, index) => {
      const key = JSON.stringify(path.slice(0, index + 1))
      return this.writtenAs.get(key) ?? segment
    })
  }
}

function collectSources(raw: unknown, path: Path, found: (path: Path) => void): void {
  const isMap = typeof raw === 'object' && raw !== null && Object.getPrototypeOf(raw) === Object.prototype
  if (!isMap) return path.length > 0 ? found(path) : undefined
  for (const [key, value] of Object.entries(raw)) collectSources(value, [...path, key], found)
}
