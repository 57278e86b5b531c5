import type { Requests } from './requests.ts'

/** An alert, as the server shows it. */
export interface Alert {
  readonly id: string
  readonly type: string
  readonly severity: 'critical' | 'warning' | 'info'
  readonly message: string
  readonly status: string
  readonly [field: string]: unknown
}

export interface AlertFilter {
  readonly status?: string
  readonly severity?: string
  readonly team?: string
  readonly limit?: number
  /** `next_cursor` of the page before. */
  readonly cursor?: string
}

export interface AlertPage {
  readonly items: readonly Alert[]
  readonly next_cursor?: string
}

/** Alerts, and what the signed-in person does about them. Everything rejects with a `CarillonError`. */
export interface Alerts {
  /** Newest first. */
  list(filter?: AlertFilter): Promise<AlertPage>
  /** Each resolves with the alert as it is then. */
  ack(id: string, note?: string): Promise<Alert>
  escalate(id: string, note?: string): Promise<Alert>
  /** `duration` such as `30m`, or seconds. */
  snooze(id: string, duration: string | number, note?: string): Promise<Alert>
  resolve(id: string, note?: string): Promise<Alert>
}

export function createAlerts(requests: Requests): Alerts {
  const act = (id: string, verb: string, body: Readonly<Record<string, unknown>>) =>
    requests.json<Alert>('POST', `/v1/alerts/${encodeURIComponent(id)}/${verb}`, body)
  const noted = (note: string | undefined) => (note === undefined ? {} : { note })
  return {
    list(filter = {}) {
      const given = Object.entries(filter).filter(([, value]) => value !== undefined)
      const query = new URLSearchParams(Object.fromEntries(given.map(([key, value]) => [key, String(value)])))
      return requests.json('GET', `/v1/alerts?${query.toString()}`)
    },
    ack: (id, note) => act(id, 'ack', noted(note)),
    escalate: (id, note) => act(id, 'escalate', noted(note)),
    snooze: (id, duration, note) => act(id, 'snooze', { for: duration, ...noted(note) }),
    resolve: (id, note) => act(id, 'resolve', noted(note)),
  }
}
