import { CliFailure } from './terminal.ts'
import type { Connection } from './connection.ts'
import type { Terminal } from './terminal.ts'

export type Json = Readonly<Record<string, unknown>>

/** The server's HTTP interface as the verbs use it. Every failure is a {@link CliFailure} with the server's own words. */
export interface Api {
  get(path: string, query?: Readonly<Record<string, string | undefined>>): Promise<Json>
  /** The answer as text, for what is no JSON. */
  text(path: string): Promise<string>
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Json>
  delete(path: string): Promise<void>
}

export function createApi(connection: Connection, terminal: Terminal): Api {
  const source =
    connection.from === undefined ? '' : ` (the address is what a demo left in ${connection.from})`
  const answerTo = async (path: string, init: RequestInit): Promise<string> => {
    const headers = new Headers(init.headers)
    if (connection.token !== undefined) headers.set('authorization', `Bearer ${connection.token}`)
    let response: Response
    let text: string
    try {
      response = await terminal.fetch(`${connection.url}${path}`, {
        ...init,
        headers,
        signal: terminal.interrupted,
        redirect: 'error',
      })
      text = await response.text()
    } catch (error) {
      throw new CliFailure(
        1,
        `cannot reach ${connection.url} (${causeOf(error)}); is \`carillon start\` running?${source}`,
      )
    }
    if (!response.ok)
      throw new CliFailure(1, describe({ status: response.status, path }, parseObject(text), source))
    return text
  }
  const call = async (path: string, init: RequestInit): Promise<Json> => {
    const body = parseObject(await answerTo(path, init))
    if (!body) throw new CliFailure(1, `${connection.url} does not answer as Carillon does`)
    return body
  }
  return {
    get(path, query = {}) {
      const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
      const search = new URLSearchParams(given).toString()
      return call(search === '' ? path : `${path}?${search}`, { method: 'GET' })
    },
    text: (path) => answerTo(path, { method: 'GET' }),
    async delete(path) {
      await answerTo(path, { method: 'DELETE' })
    },
    post: (path, body, headers = {}) =>
      call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  }
}

/** The objects of a list answer, whatever else it holds. */
export function itemsOf(answer: Json): Json[] {
  return listOf(answer['items'])
}

export function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A field as text; empty when it is absent. */
export function field(object: Json, key: string): string {
  const value = object[key]
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** An instant of the wire: RFC 3339, or epoch seconds or milliseconds. */
export function instantOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value < 1e11 ? value * 1000 : value
  if (typeof value !== 'string') return undefined
  const parsed = Date.parse(value)
  return Number.isNaN(parsed) ? undefined : parsed
}

function parseObject(text: string): Json | undefined {
  try {
    const parsed: unknown = text === '' ? {} : JSON.parse(text)
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

interface Refused {
  readonly status: number
  readonly path: string
}

function describe({ status, path }: Refused, body: Json | undefined, source: string): string {
  const error = body && isObject(body['error']) ? body['error'] : undefined
  if (!error) return `the server answered ${status}`
  const hint = status === 401 ? `; give --token or CARILLON_TOKEN${source}` : ''
  const code = field(error, 'code')
  // What was asked for tells a wrong id from a wrong server; an id that is told is that of what stands in the way.
  const about = isObject(error['details']) ? field(error['details'], 'id') : ''
  const which = code === 'request.not_found' ? `, at ${path}` : about === '' ? '' : `: ${about}`
  return `${code}: ${field(error, 'message')}${which} (${status})${hint}`
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return cause instanceof Error ? cause.message : 'unknown reason'
}
