import type { Clock } from '../clock.ts'

/** What a verb may touch of the world around it. */
export interface Terminal {
  /** Writes to standard output, as it is. */
  write(text: string): void
  /** Writes to standard error. */
  complain(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly fetch: typeof fetch
  readonly clock: Clock
  /** Whether standard output is a terminal; colours also need NO_COLOR to be unset. */
  readonly interactive: boolean
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal
}

/** A failure that ends a verb with a sentence on standard error. 1 failed, 2 usage or configuration. */
export class CliFailure extends Error {
  readonly exitCode: 1 | 2

  constructor(exitCode: 1 | 2, message: string) {
    super(message)
    this.name = 'CliFailure'
    this.exitCode = exitCode
  }
}

const COLOURS = { red: 31, green: 32, yellow: 33, dim: 2 } as const
export type Colour = keyof typeof COLOURS

/** Paints for people only: not into files and pipes, and not with NO_COLOR set (no-color.org). */
export function paint(terminal: Terminal, colour: Colour, text: string): string {
  const wanted = terminal.interactive && (terminal.env['NO_COLOR'] ?? '') === ''
  return wanted ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text
}

/** Cells are cut there, so that one hostile name does not push the others off the screen. */
const WIDEST = 64

/**
 * Rows as aligned columns under their headings; one line of prose when there are none. Long cells are cut, but not in
 * the first column, whose ids the verbs take, nor in the last, behind which nothing comes.
 */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return 'nothing there\n'
  const all = [headings, ...rows].map((row) =>
    row.map((cell, column) =>
      column === 0 || column === row.length - 1 ? printable(cell) : cut(printable(cell)),
    ),
  )
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

const cut = (text: string) => (text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text)

/** Text from outside without control characters, which could steer the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}

/** Resolves after `ms`, or at once when the person has had enough. */
export function pause(terminal: Terminal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (terminal.interrupted.aborted) return resolve()
    const done = () => {
      cancel()
      terminal.interrupted.removeEventListener('abort', done)
      resolve()
    }
    const cancel = terminal.clock.at(terminal.clock.now() + ms, done)
    terminal.interrupted.addEventListener('abort', done)
  })
}
