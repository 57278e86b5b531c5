#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { routes } from '#application'
import { runCli } from './cli/run.ts'
import { systemClock } from './clock.ts'
import { runServer } from './run-server.ts'

/** The process: arguments → verb → exit code. The only place where the engine meets the application. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Carillon needs Node 20.19 or newer; this is ${process.versions.node}.\n`)
  process.exit(1)
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const interrupted = new AbortController()
const [verb] = process.argv.slice(2)
// The server has signals of its own to listen to.
if (verb !== 'start') process.once('SIGINT', () => interrupted.abort())

const exitCode = await runCli(
  process.argv.slice(2),
  {
    write: (text) => void process.stdout.write(text),
    complain: (text) => void process.stderr.write(text),
    env: process.env,
    fetch,
    clock: systemClock(),
    interactive: process.stdout.isTTY,
    interrupted: interrupted.signal,
  },
  {
    version,
    start: (flags) =>
      runServer({ flags, env: process.env, router: routes(), version, interactive: process.stdout.isTTY }),
  },
)
// Flushed output first: a pipe would lose the rest.
process.stdout.write('', () => process.exit(exitCode))
