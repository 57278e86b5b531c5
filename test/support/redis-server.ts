import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A real Redis on a port of its own, with what befalls servers. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Ends it as a power cut would, and starts it again on the same port; what it had is on its disk. */
  restart(): Promise<void>
  kill(): Promise<void>
  start(): Promise<void>
  /** It takes connections and answers nothing. */
  pause(): void
  resume(): void
  /** Runs one command of the command line. */
  cli(...args: readonly string[]): string
  stop(): Promise<void>
}

/** Whether there is a Redis to start. `REQUIRE_REDIS=1` makes a missing one an error instead of a reason to skip. */
export function hasRedis(): boolean {
  const found = spawnSync('redis-server', ['--version']).status === 0
  if (!found && process.env['REQUIRE_REDIS'] === '1')
    throw new Error('redis-server is required and is not installed: apt-get install redis-server')
  return found
}

/** Starts a Redis that writes every command to its disk. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-redis-'))
  const port = await freePort()
  let child: ChildProcess | null = null
  const start = async () => {
    child = spawn('redis-server', [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
    ])
    const exited = once(child, 'exit').then(() => {
      throw new Error('redis-server ended at once')
    })
    exited.catch(() => {})
    await Promise.race([untilReady(child), exited])
  }
  const kill = async () => {
    const ended = child
    child = null
    if (!ended || ended.exitCode !== null) return
    const exited = once(ended, 'exit')
    ended.kill('SIGKILL')
    await exited
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}/0`,
    port,
    start,
    kill,
    async restart() {
      await kill()
      await start()
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    cli: (...args) => spawnSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8' }).stdout,
    async stop() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('Ready to accept connections')) resolve()
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
