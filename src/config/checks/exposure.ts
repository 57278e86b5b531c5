import { isIP } from 'node:net'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

/** What a start is about, beside the configuration itself. */
export interface StartMode {
  readonly demo: boolean
  /** A test may kill the process (`CARILLON_FAILPOINT`). */
  readonly failpoint: boolean
  /** The file itself says `storage.path`: a variable may say it for whichever driver there is. */
  readonly pathWritten: boolean
}

/** Whether only this machine can reach the address. A name other than localhost may lead anywhere. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (bare === 'localhost' || bare === '::1') return true
  const v4 = bare.replace(/^::ffff:/, '')
  return isIP(v4) === 4 && v4.startsWith('127.')
}

/** The demo's credentials and the failpoints of tests stay on this machine (contract section 1). */
export function checkExposure({ server }: Config, mode: StartMode): Finding[] {
  if (isLoopback(server.host)) return []
  const path = ['server', 'host']
  const findings: Finding[] = []
  if (mode.demo) {
    findings.push({
      path,
      message: `the demo listens on 127.0.0.1 only, not on ${server.host}; write a configuration with users: and clients: of your own`,
    })
  }
  if (mode.failpoint) {
    findings.push({ path, message: `CARILLON_FAILPOINT is for tests; it is refused on ${server.host}` })
  }
  return findings
}

const GUESSABLE = ['demo', 'admin', 'password', 'changeme', 'secret', 'carillon']

/** Nobody reaches an open address with a credential that everybody knows (security row 1). */
export function checkGuessable({ server, users, clients }: Config): Finding[] {
  if (isLoopback(server.host)) return []
  const credentials = [
    ...Object.entries(users).map(([id, user]) => ({
      id,
      path: ['users', id, 'password'],
      value: user.password,
    })),
    ...Object.entries(clients).map(([id, client]) => ({
      id,
      path: ['clients', id, 'token'],
      value: client.token,
    })),
  ]
  return credentials
    .filter(({ id, value }) => value !== undefined && [...GUESSABLE, id].includes(value.toLowerCase()))
    .map(({ path }) => ({ path, message: `is too easy to guess for ${server.host}` }))
}

/** HS256 needs a key as long as its digest (RFC 7518 section 3.2). */
export function checkJwtSecret({ auth }: Config): Finding[] {
  const { secret } = auth.jwt
  if (secret === undefined || Buffer.byteLength(secret) >= 32) return []
  return [
    {
      path: ['auth', 'jwt', 'secret'],
      message: `has ${Buffer.byteLength(secret)} bytes, needs at least 32; openssl rand -base64 32 makes one`,
    },
  ]
}

/** An empty credential is none; say so instead of letting everybody in, or nobody. */
export function checkEmptyCredentials({ users, clients }: Config): Finding[] {
  const message = 'is empty; leave the key out if there is none'
  return [
    ...Object.keys(users)
      .filter((id) => users[id]?.password === '')
      .map((id) => ({ path: ['users', id, 'password'], message })),
    ...Object.keys(clients)
      .filter((id) => clients[id]?.token === '')
      .map((id) => ({ path: ['clients', id, 'token'], message })),
  ]
}
