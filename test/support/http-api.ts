import type { Program } from './program.ts'

export interface Answer<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

/** Asks the program over HTTP as one principal; `token` is a client's token or what a log-in gave. */
export class HttpApi {
  readonly #program: () => Pick<Program, 'url'>
  readonly #token: string | null

  /** `program` is asked for each time, so that one of these outlives a restart. */
  constructor(program: () => Pick<Program, 'url'>, token: string | null) {
    this.#program = program
    this.#token = token
  }

  /** Signs a person in with their password. */
  static async login(program: () => Pick<Program, 'url'>, user: string, password: string): Promise<HttpApi> {
    const answer = await new HttpApi(program, null).post<{ token: string }>('/v1/login', { user, password })
    if (answer.status !== 200) throw new Error(`log-in of ${user}: ${answer.status}`)
    return new HttpApi(program, answer.body.token)
  }

  /** What stands in `Authorization: Bearer`. */
  get token(): string {
    return this.#token ?? ''
  }

  /** The body of an answer that has to be a success. */
  async get<T>(path: string): Promise<T> {
    const answer = await this.request<T>('GET', path)
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  post<T>(
    path: string,
    body: unknown = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    return this.request('POST', path, JSON.stringify(body), headers)
  }

  /** Publishes these very bytes. */
  publish<T = Accepted>(
    topic: string,
    payload: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    return this.request('POST', `/v1/publish/${topic}`, payload, headers)
  }

  async request<T>(
    method: string,
    path: string,
    body?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(`${this.#program().url}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.#token !== null && { authorization: `Bearer ${this.#token}` }),
        ...headers,
      },
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    const parsed = text === '' ? null : parse(text)
    return { status: response.status, headers: response.headers, body: parsed as T }
  }
}

export interface Accepted {
  readonly id: string
  readonly result: Readonly<Record<string, unknown>>
}

export interface Refused {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly details?: Readonly<Record<string, unknown>>
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
