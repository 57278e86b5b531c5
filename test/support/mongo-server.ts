import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

/** What `.ci/install-mongod` unpacks. */
const UNPACKED = join(homedir(), '.cache/carillon/mongod-3.6.8')
const LIBRARIES = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu']
/** The oldest that the driver speaks to by itself. */
const OLDEST = 4.4
/** Where there is one: what a disk keeps over a crash of the machine is no part of these tests. */
const MEMORY = '/dev/shm'
const OLD_MONGO = fileURLToPath(new URL('old-mongo.cjs', import.meta.url))

/** A genuine MongoDB: a replica set of one on this machine, or whatever `MONGO_URL` names. */
export interface MongoServer {
  /** The address of a database that nobody else uses. */
  freshUrl(): string
  /** What a program started by a test needs in its environment to speak to it. */
  readonly env: Readonly<Record<string, string>>
  /** As it calls itself. */
  readonly version: string
}

/** One that a test may treat badly, because it is its own. */
export interface OwnMongoServer extends MongoServer {
  readonly port: number
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGSTOP: it keeps its connections and says nothing. */
  pause(): void
  resume(): void
  /** Starts it again on what it has kept, at the same port; resolves when it takes writes. */
  restart(): Promise<void>
  /** Ends it and removes what it kept. */
  end(): Promise<void>
}

interface Binary {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
  readonly version: string
}

function probe(path: string, env: Readonly<Record<string, string>>): Binary | null {
  const { status, stdout } = spawnSync(path, ['--version'], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  const version = /db version v([0-9.]+)/.exec(stdout ?? '')?.[1]
  return status === 0 && version !== undefined ? { path, env, version } : null
}

function findBinary(): Binary | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'mongod')
    if (folder !== '' && existsSync(path)) return probe(path, {})
  }
  const unpacked = join(UNPACKED, 'usr/bin/mongod')
  if (!existsSync(unpacked)) return null
  return probe(unpacked, { LD_LIBRARY_PATH: LIBRARIES.map((each) => join(UNPACKED, each)).join(delimiter) })
}

// What the driver takes for too old it decides while it is loaded: whoever imports it imports this file first.
const binary = findBinary()
if (!process.env['MONGO_URL'] && binary && isOld(binary)) createRequire(import.meta.url)(OLD_MONGO)

let shared: Promise<MongoServer> | undefined
let databases = 0

function isOld({ version }: Binary): boolean {
  return Number.parseFloat(version) < OLDEST
}

/** Why there is no MongoDB for the tests; null when there is one. */
function missing(own: boolean): string | null {
  if (!own && process.env['MONGO_URL']) return null
  if (binary) return null
  return `there is no mongod on the PATH and none in ${UNPACKED} (.ci/install-mongod puts one there)`
}

function skipWithout(test: Mocha.Context, own: boolean): void {
  const reason = missing(own)
  if (reason === null) return
  if (process.env['REQUIRE_MONGO'] === '1') throw new Error(`REQUIRE_MONGO is set, but ${reason}`)
  process.stderr.write(`NOT TESTED on MongoDB: ${reason}\n`)
  test.skip()
}

/**
 * The server that all tests of this run share, started with the first that asks: `MONGO_URL`, else a mongod of the
 * PATH, else the unpacked one. Without any the test is skipped and says so; with REQUIRE_MONGO=1 it fails.
 */
export function mongoServer(test: Mocha.Context): Promise<MongoServer> {
  skipWithout(test, false)
  const url = process.env['MONGO_URL']
  shared ??= url ? remote(url) : start()
  return shared
}

/** A server for one test alone; `MONGO_URL` does not count here. */
export function ownMongoServer(test: Mocha.Context): Promise<OwnMongoServer> {
  skipWithout(test, true)
  return start()
}

async function remote(url: string): Promise<MongoServer> {
  const { mongo } = await import('mongoose')
  const client = await mongo.MongoClient.connect(url)
  const { version } = (await client.db('admin').command({ buildInfo: 1 })) as { version: string }
  await client.close()
  return { freshUrl: () => withDatabase(url), env: {}, version }
}

function withDatabase(url: string): string {
  const name = `carillon-test-${process.pid}-${++databases}`
  const [, server = '', query = ''] = /^([a-z+]+:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/.exec(url) ?? []
  return `${server}/${name}${query}`
}

async function start(): Promise<OwnMongoServer> {
  if (!binary) throw new Error('there is no mongod')
  const found = binary
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'carillon-mongod-'))
  const port = await freePort()
  let child = launch(found, folder, port)
  // However the run ends, unless it is killed itself.
  const last = () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', last)
  await initiate(port)
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.ref()
    child.kill('SIGKILL')
    await gone
  }
  return {
    port,
    version: found.version,
    env: isOld(found) ? { NODE_OPTIONS: `--require ${OLD_MONGO}` } : {},
    freshUrl: () => withDatabase(`mongodb://127.0.0.1:${port}/?replicaSet=rs`),
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart() {
      await kill()
      child = launch(found, folder, port)
      await writable(port)
    },
    async end() {
      await kill()
      process.off('exit', last)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function launch({ path, env }: Binary, folder: string, port: number): ChildProcess {
  const child = spawn(
    path,
    [
      ...['--dbpath', folder, '--bind_ip', '127.0.0.1', '--port', String(port), '--replSet', 'rs'],
      ...['--oplogSize', '50', '--wiredTigerCacheSizeGB', '0.25', '--nounixsocket'],
    ],
    { env: { ...process.env, ...env }, stdio: 'ignore' },
  )
  // The run ends when its tests have; see `last` above.
  child.unref()
  return child
}

async function initiate(port: number): Promise<void> {
  await asking(port, async (command) => {
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }]
    await command({ replSetInitiate: { _id: 'rs', members, settings: { electionTimeoutMillis: 500 } } })
  })
  await writable(port)
}

async function writable(port: number): Promise<void> {
  await asking(port, (command) =>
    eventually('a primary', async () => {
      const { ismaster } = (await command({ ismaster: 1 })) as { ismaster: boolean }
      return ismaster ? true : undefined
    }),
  )
}

type Command = (command: Readonly<Record<string, unknown>>) => Promise<unknown>

async function asking(port: number, ask: (command: Command) => Promise<unknown>): Promise<void> {
  const { mongo } = await import('mongoose')
  const client = await mongo.MongoClient.connect(`mongodb://127.0.0.1:${port}/?directConnection=true`)
  try {
    await ask((command) => client.db('admin').command(command))
  } finally {
    await client.close()
  }
}

async function freePort(): Promise<number> {
  const probing = createServer().listen(0, '127.0.0.1')
  await once(probing, 'listening')
  // A TCP server that listens has an address of this kind.
  const { port } = probing.address() as AddressInfo
  await new Promise((resolve) => probing.close(resolve))
  return port
}
