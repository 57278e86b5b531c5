import { mkdirSync, readFileSync, writeFileSync, chmodSync } from 'node:fs'
import { join } from 'node:path'
import { CliFailure } from './terminal.ts'
import type { Terminal } from './terminal.ts'

/** Where the program runs, and as whom to speak to it. */
export interface Connection {
  readonly url: string
  /** Absent: without credentials, which `auth.anonymous` may allow. */
  readonly token?: string
  /** The file that a demo left and the URL was read from; it may be older than what runs now. */
  readonly from?: string
}

export interface ConnectionOptions {
  readonly url?: string
  readonly token?: string
  readonly data?: string
}

type Saved = Required<Pick<Connection, 'url' | 'token'>>

const FILE = 'cli.json'

/**
 * Leaves URL and token for the command line in `<data>/cli.json`, readable by its owner alone. The demo calls it
 * at every start, because its token is new each time.
 */
export function saveConnection(dataFolder: string, connection: Saved): void {
  mkdirSync(dataFolder, { recursive: true })
  const file = join(dataFolder, FILE)
  writeFileSync(file, `${JSON.stringify(connection)}\n`, { mode: 0o600 })
  // The mode above counts only for a new file.
  chmodSync(file, 0o600)
}

/** Option before environment before the file that a demo left; a token is sent only to the URL it belongs to. */
export function findConnection(options: ConnectionOptions, terminal: Terminal): Connection {
  const { env } = terminal
  const folder = options.data ?? present(env['CARILLON_DATA']) ?? './data'
  const saved = readSaved(join(folder, FILE))
  const given = options.url ?? present(env['CARILLON_URL'])
  const url = given ?? saved?.url
  if (url === undefined) {
    throw new CliFailure(
      2,
      `where is the server? Give --url and --token, or CARILLON_URL and CARILLON_TOKEN (a demo leaves both in ${join(folder, FILE)})`,
    )
  }
  if (!/^https?:\/\/[^/\s]/.test(url)) {
    throw new CliFailure(2, `"${url}" is no URL such as http://localhost:8080`)
  }
  const base = url.replace(/\/+$/, '')
  const own = options.token ?? present(env['CARILLON_TOKEN'])
  const token = own ?? (saved?.url.replace(/\/+$/, '') === base ? saved.token : undefined)
  return {
    url: base,
    ...(token !== undefined && { token }),
    ...(given === undefined && { from: join(folder, FILE) }),
  }
}

const present = (value: string | undefined) => (value === '' ? undefined : value)

function readSaved(file: string): Saved | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  try {
    const { url, token } = JSON.parse(text) as Record<string, unknown>
    if (typeof url === 'string' && typeof token === 'string') return { url, token }
  } catch {
    // Told below, like a file with something else in it.
  }
  throw new CliFailure(2, `${file} holds no {"url", "token"}; remove it or start the demo again`)
}
