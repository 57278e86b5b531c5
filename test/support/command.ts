import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The compiled program's own entry, for `node`. */
export const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly errors: string
}

export interface Command {
  readonly child: ChildProcess
  /** What it has said so far. */
  readonly said: () => Omit<Ended, 'code'>
  readonly ended: Promise<Ended>
}

/** Starts a program with an environment that holds nothing but `PATH` and what is given. */
export function start(
  file: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Command {
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', ...env },
    ...(cwd !== undefined && { cwd }),
  })
  let out = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const said = () => ({ out, errors })
  return {
    child,
    said,
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, ...said() })),
  }
}

const MOSQUITTO = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'].find((folder) =>
  existsSync(`${folder}/mosquitto_pub`),
)

/** Whether mosquitto's own clients are installed on this machine. */
export const hasMosquitto = MOSQUITTO !== undefined

/** Runs `mosquitto_pub` or `mosquitto_sub` to its end. */
export function mosquitto(tool: 'pub' | 'sub', port: number, args: readonly string[]): Promise<Ended> {
  const address = ['-h', '127.0.0.1', '-p', String(port)]
  return start(`${MOSQUITTO ?? ''}/mosquitto_${tool}`, [...address, ...args]).ended
}
