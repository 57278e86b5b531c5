import { startApp, type RunningApp } from './app.ts'
import { saveConnection } from './cli/connection.ts'
import { formatFault } from './config/fault.ts'
import { loadConfig, type Loaded } from './config/load.ts'
import type { Flags } from './config/reading/overrides.ts'
import { reloadConfig } from './config/reload.ts'
import type { Config } from './config/schema/schema.ts'
import { createLog, type Log } from './log.ts'
import type { Router } from './router/router.ts'

export interface ServerOptions {
  readonly flags: Flags
  readonly env: Readonly<Record<string, string | undefined>>
  readonly router: Router
  readonly version: string
  /** Whether a person reads the output: then it is prose, else JSON lines. */
  readonly interactive: boolean
}

/** Contract section 1. */
const GRACE_MS = 10_000

/**
 * Runs the program until SIGTERM or SIGINT. Resolves with the exit code: 0 after an orderly end, 1 when it could not
 * start, 2 for a faulty configuration, whose faults are all on standard error then.
 */
export async function runServer(options: ServerOptions): Promise<number> {
  const { flags, env, version, interactive } = options
  const loaded = loadConfig({ env, flags })
  if (!loaded.ok) {
    process.stderr.write(
      `The configuration has ${loaded.faults.length === 1 ? 'a fault' : `${loaded.faults.length} faults`}:\n`,
    )
    for (const fault of loaded.faults) process.stderr.write(`${formatFault(fault)}\n`)
    return 2
  }
  const log = createLog({ level: loaded.config.server.log_level, pretty: interactive })
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'a bug ended the process')
    process.exit(1)
  })
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'a bug ended the process')
    process.exit(1)
  })
  // Addresses, messages and the secret of the tokens are for nobody else on this machine.
  process.umask(0o077)
  // From the first moment on, so that an early signal ends the program in order as well.
  const stop = stopSignal(log)
  let app: RunningApp
  try {
    app = await startApp({
      config: loaded.config,
      router: options.router,
      log,
      version,
      reread: (config) => reloadConfig({ config, demo: loaded.demo }, { env, flags }),
    })
  } catch (error) {
    log.fatal({ err: error }, explain(error))
    return 1
  }
  sayReady(app, loaded, log, options)
  const stopped = stop.then(() => stopInOrder(app, log))
  process.on('SIGHUP', () => void app.reload())
  return stopped
}

/** Port in use and the like, with what to do. */
function explain(error: unknown): string {
  const { code, port } = error as { code?: string; port?: number }
  if (code === 'EADDRINUSE') return `port ${port} is in use; take another with --http-port or --mqtt-port`
  if (code === 'EACCES') return `port ${port} may not be opened; take one above 1024`
  return 'could not start'
}

function sayReady(
  app: RunningApp,
  loaded: Extract<Loaded, { ok: true }>,
  log: Log,
  { version, interactive }: ServerOptions,
): void {
  const urls = { http: app.httpUrl, mqtt: app.mqttUrl, docs: `${app.httpUrl}/docs` }
  log.info({ ...urls, version, demo: loaded.demo }, 'ready')
  const { config } = loaded
  if (!loaded.demo) return warnOfSilence(config, log)
  const token = config.clients['demo']?.token ?? ''
  const link = app.authenticator.loginLink('anna')
  saveConnection(config.storage.path, { url: app.httpUrl, token })
  const lines = [
    `carillon ${version}  demo mode: nothing leaves this machine, every channel is captured`,
    `  Console  ${app.httpUrl}/login#t=${link.token}  (once, for 10 minutes)`,
    `  MQTT     ${app.mqttUrl}  user demo, password ${token}   over WebSocket ${app.httpUrl.replace('http', 'ws')}/mqtt`,
    `  API      ${app.httpUrl}/docs   topics ${app.httpUrl}/asyncapi.json`,
    `  Try      npx carillon publish notifications/realtime/user/anna '{"title":"Hello","message":"It works"}'`,
    `           npx carillon publish alerts/critical/system_failure -m "Database connection failed" --wait`,
  ]
  if (interactive) process.stdout.write(`${lines.join('\n')}\n`)
  // A service's log is read by machines; the sentences are for whoever looks.
  else process.stderr.write(`${lines.join('\n')}\n`)
}

/** What reaches a person who looks at no page. */
const OUTWARD = ['email', 'sms', 'voice', 'push', 'web_push', 'telegram'] as const

/** Outside of the demo, a channel that keeps what it should send is more often forgotten than wanted. */
function warnOfSilence({ channels, teams }: Config, log: Log): void {
  const captured = OUTWARD.filter((name) => channels[name].mode === 'captured')
  if (captured.length < OUTWARD.length || Object.keys(teams).length === 0) return
  log.warn(
    { captured },
    'no page reaches anybody: every channel is captured; set channels.<name>.mode to live or both',
  )
}

/** Resolves at the first SIGTERM or SIGINT; further ones change nothing. */
function stopSignal(log: Log): Promise<void> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      log.info({ signal }, 'stopping')
      resolve()
    }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
    process.on('SIGTERM', () => {})
    process.on('SIGINT', () => {})
  })
}

async function stopInOrder(app: RunningApp, log: Log): Promise<number> {
  try {
    await app.stop(GRACE_MS)
    log.info('stopped')
    return 0
  } catch (error) {
    log.error({ err: error }, 'could not stop in order')
    return 1
  }
}
