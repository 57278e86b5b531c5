import { lookup as systemLookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import { Agent, request } from 'undici'
import { allowanceOf, checkUrl, mayConnect, type Allowance, type Demand } from './address-guard.ts'

/** Every address of a host name, as the system knows them. */
export type Resolve = (
  host: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>

export interface OutgoingRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  /** Gives the request up. */
  readonly signal: AbortSignal
  /** The longest wait for the beginning of the answer, and for each part of it. */
  readonly waitMs: number
}

/**
 * What came of a request: an answer; a refusal to make it at all; or a failure of the network, `written` if the
 * whole request had left by then. Nothing of it holds the URL, which may be a secret.
 */
export type Answer =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly retryAfter: string | null
      /** The first 64 KB. */
      readonly body: string
    }
  | { readonly kind: 'refused'; readonly because: string }
  | { readonly kind: 'failed'; readonly code: string; readonly written: boolean }

export interface DownloadRequest {
  readonly url: string
  /** Gives the request up. */
  readonly signal: AbortSignal
  /** The longest wait for the beginning of the answer, and for each part of it. */
  readonly waitMs: number
  /** Asked before so many bytes more are kept; false ends the download. */
  readonly room: (bytes: number) => boolean
  /** In place of the usual ones of the same name. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What came of a download; nothing of it holds the URL. `too_large`: there was no room for the body. */
export type Download =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly contentType: string | null
      readonly contentDisposition: string | null
      readonly contentEncoding: string | null
      readonly etag: string | null
      /** Whole; empty unless the status is 2xx. */
      readonly body: Buffer
    }
  | { readonly kind: 'refused'; readonly because: string }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'too_large' }

export interface Outgoing {
  /** Makes one POST. Follows no redirect, never rejects, keeps no connection. */
  post(request: OutgoingRequest): Promise<Answer>
  /** Makes one GET and reads the whole answer. Follows no redirect, never rejects, keeps no connection. */
  get(request: DownloadRequest): Promise<Download>
}

const LONGEST_ANSWER = 64 * 1024
const LONGEST_HEADERS = 16 * 1024
const NOT_ALLOWED = 'ENOTALLOWED'

/**
 * Requests to other programs that cannot be turned against this machine's own network (security row 22): the URL is
 * checked, then every address that its host resolves to, and the connection goes to what was checked; nothing is
 * resolved a second time. `allow` lists hosts, addresses and networks that are called all the same.
 */
export function createOutgoing(options: {
  readonly allow: readonly string[]
  readonly resolve?: Resolve
  /** Where `allow` stands in the configuration. */
  readonly setting?: string
}): Outgoing {
  const allowance = allowanceOf(options.allow, options.setting)
  const resolve = options.resolve ?? ((host) => systemLookup(host, { all: true, verbatim: true }))
  const guarded = (text: string) => {
    const refused = (because: string) => ({ kind: 'refused', because }) as const
    if (!URL.canParse(text)) return refused('expected an https:// URL')
    const url = new URL(text)
    const verdict = checkUrl(url, allowance)
    if (!verdict.ok) return refused(verdict.because)
    return {
      kind: 'open',
      url,
      lookup: guardedLookup({ demand: verdict.demand, allowance, resolve }),
    } as const
  }
  return {
    async post(outgoing) {
      const way = guarded(outgoing.url)
      return way.kind === 'open' ? postOnce(way.url, outgoing, way.lookup) : way
    },
    async get(download) {
      const way = guarded(download.url)
      return way.kind === 'open' ? getOnce(way.url, download, way.lookup) : way
    },
  }
}

/**
 * A look-up for sockets that resolves once and gives nothing but addresses that may be connected to. One that may
 * not spoils them all: a host that mixes public and private addresses is no honest one.
 */
export function guardedLookup(guard: {
  readonly demand: Demand
  readonly allowance: Allowance
  readonly resolve: Resolve
}): LookupFunction {
  return (host, options, done) => {
    guard.resolve(host).then(
      (addresses) => {
        const [first] = addresses
        const refused = addresses.some(({ address }) => !mayConnect(address, guard.demand, guard.allowance))
        if (first === undefined || refused) done(failure(first ? NOT_ALLOWED : 'ENOTFOUND'), '', 0)
        else if (options.all) done(null, [...addresses])
        else done(null, first.address, first.family)
      },
      (error: unknown) => done(failure(codeOf(error)), '', 0),
    )
  }
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code })
}

/** One for each request: its demand on addresses cannot be met by somebody else's open connection. */
function agentFor(lookup: LookupFunction, waitMs: number): Agent {
  return new Agent({
    connect: { lookup, timeout: Math.min(waitMs, 10_000) },
    headersTimeout: waitMs,
    bodyTimeout: waitMs,
    maxHeaderSize: LONGEST_HEADERS,
    pipelining: 0,
  })
}

const NOT_PUBLIC = { kind: 'refused', because: 'the host has an address that is not public' } as const

async function postOnce(url: URL, outgoing: OutgoingRequest, lookup: LookupFunction): Promise<Answer> {
  const { body: given, signal, waitMs } = outgoing
  const agent = agentFor(lookup, waitMs)
  const bytes = typeof given === 'string' ? Buffer.from(given) : given
  let written = false
  // Asked for its next part only when the one before was taken by the socket.
  async function* parts() {
    yield bytes
    written = true
  }
  try {
    const { statusCode, headers, body } = await request(url, {
      method: 'POST',
      headers: { ...outgoing.headers, 'content-length': String(bytes.length) },
      body: Readable.from(parts()),
      dispatcher: agent,
      signal,
    })
    const retryAfter = headers['retry-after']
    return {
      kind: 'answer',
      status: statusCode,
      retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
      body: await firstOf(body),
    }
  } catch (error) {
    const code = codeOf(error)
    if (code === NOT_ALLOWED) return NOT_PUBLIC
    return { kind: 'failed', code: signal.aborted ? 'AbortError' : code, written }
  } finally {
    // Drops what is left of a longer answer; nothing waits for it.
    void agent.destroy().catch(() => {})
  }
}

async function getOnce(url: URL, download: DownloadRequest, lookup: LookupFunction): Promise<Download> {
  const { signal, waitMs, room } = download
  const agent = agentFor(lookup, waitMs)
  try {
    const { statusCode, headers, body } = await request(url, {
      method: 'GET',
      headers: {
        'user-agent': 'Carillon',
        accept: '*/*',
        'accept-encoding': 'identity',
        ...download.headers,
      },
      dispatcher: agent,
      signal,
    })
    // A body that is left unread fails when its agent goes; that is no news.
    body.on('error', () => {})
    const whole = statusCode >= 200 && statusCode < 300 ? await wholeOf(body, room) : Buffer.alloc(0)
    if (whole === null) return { kind: 'too_large' }
    return {
      kind: 'answer',
      status: statusCode,
      contentType: single(headers['content-type']),
      contentDisposition: single(headers['content-disposition']),
      contentEncoding: single(headers['content-encoding']),
      etag: single(headers.etag),
      body: whole,
    }
  } catch (error) {
    const code = codeOf(error)
    if (code === NOT_ALLOWED) return NOT_PUBLIC
    return { kind: 'failed', code: signal.aborted ? 'AbortError' : code }
  } finally {
    void agent.destroy().catch(() => {})
  }
}

/** The body, or null as soon as there is no room for the next part. Rejects when it breaks off. */
async function wholeOf(body: AsyncIterable<unknown>, room: DownloadRequest['room']): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue
    if (!room(chunk.length)) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function single(header: string | string[] | undefined): string | null {
  return typeof header === 'string' ? header : null
}

/** What can be had of the first 64 KB. The status says whether the request was taken; a broken rest does not matter. */
async function firstOf(body: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) continue
      chunks.push(chunk)
      length += chunk.length
      if (length >= LONGEST_ANSWER) break
    }
  } catch {
    // The answer's first line has come; see above.
  }
  return Buffer.concat(chunks).subarray(0, LONGEST_ANSWER).toString('utf8')
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code: unknown = Reflect.get(error, 'code')
  if (typeof code === 'string') return code
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  return error.name
}
