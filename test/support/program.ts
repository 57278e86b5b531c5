import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

export interface Program {
  readonly httpPort: number
  readonly mqttPort: number
  readonly url: string
  readonly pid: number
  readonly lines: readonly Readonly<Record<string, unknown>>[]
  /** Sends the signal and resolves with the exit code (null when a signal ended it). */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** A folder of its own for one test: its configuration and its data, which survive every start and stop. */
export class Installation {
  readonly folder = mkdtempSync(join(tmpdir(), 'carillon-'))
  readonly #children = new Set<ChildProcess>()
  #ports = { http: 0, mqtt: 0 }

  constructor(config: string) {
    this.configure(config)
  }

  configure(config: string): void {
    writeFileSync(join(this.folder, 'carillon.yaml'), config)
  }

  /** Starts the real program and resolves once it says it is ready; rejects with its output when it ends before. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const child = spawn(
      process.execPath,
      [
        MAIN,
        'start',
        '--config',
        join(this.folder, 'carillon.yaml'),
        '--data',
        join(this.folder, 'data'),
        '--http-port',
        String(this.#ports.http),
        '--mqtt-port',
        String(this.#ports.mqtt),
      ],
      {
        // What is written for a full disk would cost every test its 64 MB.
        env: { PATH: process.env['PATH'] ?? '', CARILLON__STORAGE__BALLAST_MB: '0', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    this.#children.add(child)
    const exited = once(child, 'exit').then(([code]) => {
      this.#children.delete(child)
      return code as number | null
    })
    const lines: Record<string, unknown>[] = []
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    const ready = new Promise<Record<string, unknown>>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const entry = parse(line)
        lines.push(entry)
        if (entry['msg'] === 'ready') resolve(entry)
      })
    })
    const first = await Promise.race([ready, exited.then(() => null)])
    if (first === null)
      throw new Error(
        `the program ended before it was ready:\n${errors}${lines.map((line) => JSON.stringify(line)).join('\n')}`,
      )
    const httpPort = Number(new URL(String(first['http'])).port)
    const mqttPort = Number(new URL(String(first['mqtt'])).port)
    // The same ports after a restart, so that clients find it again.
    this.#ports = { http: httpPort, mqtt: mqttPort }
    return {
      httpPort,
      mqttPort,
      url: `http://127.0.0.1:${httpPort}`,
      pid: child.pid ?? 0,
      lines,
      end: (signal) => {
        child.kill(signal)
        return exited
      },
    }
  }

  /** Ends what still runs and removes the folder. */
  async remove(): Promise<void> {
    await Promise.all(
      [...this.#children].map(async (child) => {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await exited
      }),
    )
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return { msg: line }
  }
}
