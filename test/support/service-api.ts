/** An answer of the NotiPy API. */
export interface ServiceAnswer<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

export interface Credentials {
  readonly service_id: string
  readonly service_token: string
}

/** Asks the NotiPy API as one service, or as nobody. */
export class ServiceApi {
  readonly #url: () => string
  readonly credentials: Credentials | null

  /** `url` is asked for each time, so that one of these outlives a restart. */
  constructor(url: () => string, credentials: Credentials | null = null) {
    this.#url = url
    this.credentials = credentials
  }

  static async registered(url: () => string): Promise<ServiceApi> {
    const { status, body } = await new ServiceApi(url).ask<Credentials>('POST', '/register')
    if (status !== 200) throw new Error(`registration: ${status} ${JSON.stringify(body)}`)
    return new ServiceApi(url, body)
  }

  async ask<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ServiceAnswer<T>> {
    const response = await fetch(`${this.#url()}/api/v1${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.credentials && {
          'x-service-id': this.credentials.service_id,
          'x-service-token': this.credentials.service_token,
        }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: response.status, headers: response.headers, body: (await response.json()) as T }
  }
}
