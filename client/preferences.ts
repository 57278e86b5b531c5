import type { Requests } from './requests.ts'

/** What somebody wants to hear of, and where. */
export interface PreferenceRow {
  /** A name or a pattern, such as `payment.*`; the longest that fits decides. */
  readonly event_type: string
  readonly channel: string
  /** Null takes the row away. */
  readonly enabled: boolean | null
  readonly customer_id?: string | null
}

export interface PreferenceSet {
  /** By group and event, as the CoreBanq document shows them. */
  readonly groups: Readonly<Record<string, unknown>>
  readonly preferences: readonly PreferenceRow[]
}

export interface PreferenceSettings {
  get(customerId?: string): Promise<PreferenceSet>
  /** Changes these rows and leaves the others; resolves with all as they are then. */
  set(rows: readonly PreferenceRow[]): Promise<PreferenceSet>
}

export function createPreferences(requests: Requests): PreferenceSettings {
  const path = '/v1/notifications/preferences'
  return {
    get(customerId) {
      const query = customerId === undefined ? '' : `?customer_id=${encodeURIComponent(customerId)}`
      return requests.json('GET', path + query)
    },
    set: (preferences) => requests.json('PUT', path, { preferences }),
  }
}
