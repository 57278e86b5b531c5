import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'
import { isLoopback, type StartMode } from './exposure.ts'

const at = (key: string) => ['storage', key]

/** What belongs to each driver (contract section 2): a setting that would do nothing is a misunderstanding. */
export function checkStorage({ storage }: Config, { pathWritten }: StartMode): Finding[] {
  const servers = [
    { key: 'url', value: storage.url, kind: MONGO },
    { key: 'redis_url', value: storage.redis_url, kind: REDIS },
  ] as const
  if (storage.driver === 'sqlite')
    return servers
      .filter(({ value }) => value !== undefined)
      .map(({ key }) => ({
        path: at(key),
        message: 'belongs to driver mongo; driver sqlite keeps everything in path',
      }))
  const findings = servers.flatMap(({ key, value, kind }) => serverFindings(at(key), value, kind))
  if (pathWritten)
    findings.push({
      path: at('path'),
      message: 'belongs to driver sqlite; driver mongo keeps everything behind url',
    })
  return findings
}

interface ServerKind {
  readonly name: string
  readonly expected: string
  /** Credentials, then hosts, then what comes behind them. Several hosts make it no URL as Node reads them. */
  readonly form: RegExp
}

const MONGO: ServerKind = {
  name: 'MongoDB',
  expected: 'mongodb://… or mongodb+srv://…',
  form: /^mongodb(?:\+srv)?:\/\/(?:([^@/?]*)@)?([^@/?]+)([/?].*)?$/s,
}
const REDIS: ServerKind = {
  name: 'Redis',
  expected: 'redis://… or rediss://…',
  form: /^rediss?:\/\/(?:([^@/?]*)@)?([^@/?]+)([/?].*)?$/s,
}

/** Who proves itself to MongoDB by other means than a password. */
const WITHOUT_PASSWORD = /[?&]authMechanism=(MONGODB-X509|MONGODB-AWS|MONGODB-OIDC|GSSAPI)(&|$)/

/** The value holds a password: it is no part of any message. */
function serverFindings(path: Finding['path'], value: string | undefined, kind: ServerKind): Finding[] {
  if (value === undefined) return [{ path, message: 'is missing; driver mongo needs it' }]
  const [whole, credentials = '', hosts = '', rest = ''] = kind.form.exec(value) ?? []
  if (whole === undefined) return [{ path, message: `expected ${kind.expected}` }]
  const open = hosts.split(',').some((host) => !isLocal(host))
  const proven = /^[^:]*:./.test(credentials) || WITHOUT_PASSWORD.test(rest)
  if (!open || proven) return []
  // Whoever reaches an open server reads every message and sends in everybody's name (security row 37).
  return [
    {
      path,
      message: `a ${kind.name} on another machine needs a password: ${kind.expected.slice(0, kind.expected.indexOf('…'))}user:password@host`,
    },
  ]
}

function isLocal(host: string): boolean {
  // A socket of this machine has a path for a host.
  if (/^(%2F|\/)/i.test(host)) return true
  return isLoopback(host.replace(/:[0-9]+$/, ''))
}
