import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild, stopChild } from './child.ts'
import type { Contender } from './contender.ts'

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

export interface Carillon extends Contender {
  readonly url: string
  /** Of every user. */
  readonly password: string
  readonly operatorToken: string
  /** Address of Node's inspector, when `--inspect` is among its arguments. */
  readonly inspector: string | null
}

export interface CarillonOptions {
  readonly users: readonly string[]
  /** Added to the configuration as it is. */
  readonly config?: string
  /** A data folder that is there already and stays. */
  readonly data?: string
  /** Arguments of Node, such as those of its profiler. */
  readonly nodeArguments?: readonly string[]
}

/** As `npm start` and the image start it. */
const START_ARGUMENTS = ['--max-semi-space-size=64']
const PASSWORD = 'load-password'
const PUBLISHER = { username: 'load', password: 'load-token' }
const OPERATOR_TOKEN = 'operator-token'

/** Starts the built program on a data folder of its own, with everything switched on and rate limits out of the way. */
export async function startCarillon(options: CarillonOptions): Promise<Carillon> {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-'))
  const config = join(folder, 'carillon.yaml')
  writeFileSync(config, configuration(options))
  const data = options.data ?? join(folder, 'data')
  const paths = ['--config', config, '--data', data, '--http-port', '0', '--mqtt-port', '0']
  let inspector: string | null = null
  const { child, pid, ready } = await startChild(
    [process.execPath, ...START_ARGUMENTS, ...(options.nodeArguments ?? []), MAIN, 'start', ...paths],
    (line) => {
      inspector ??= /^Debugger listening on (ws:\S+)$/.exec(line)?.[1] ?? null
      return readyLine(line)
    },
  )
  return {
    name: 'Carillon',
    pid,
    mqttPort: Number(new URL(ready.mqtt).port),
    url: ready.http,
    publisher: PUBLISHER,
    password: PASSWORD,
    operatorToken: OPERATOR_TOKEN,
    inspector,
    async stop() {
      await stopChild(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function configuration({ users, config = '' }: CarillonOptions): string {
  return [
    'users:',
    ...users.map(
      (user) => `  ${user}: { email: ${user}@example.org, phone: "+4915112345678", password: ${PASSWORD} }`,
    ),
    'clients:',
    `  load: { token: ${PUBLISHER.password}, publish: ["notifications/#", "alerts/#"], rate_limit: { max_requests: 1000000, window_seconds: 60 } }`,
    `  operator: { token: ${OPERATOR_TOKEN}, roles: [ops] }`,
    config,
  ].join('\n')
}

function readyLine(line: string): { readonly http: string; readonly mqtt: string } | null {
  if (!line.startsWith('{')) return null
  const { msg, http, mqtt } = JSON.parse(line) as { msg?: string; http?: string; mqtt?: string }
  return msg === 'ready' && http !== undefined && mqtt !== undefined ? { http, mqtt } : null
}
