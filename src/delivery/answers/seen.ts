import { DEFAULT_TENANT } from '../../access/principal.ts'
import { recordKind, type Registry } from '../../registry/registry.ts'

/** The provider's id of a callback that was dealt with. */
const CALLBACK = recordKind<Record<string, never>>('callback')

/** Longer than any provider repeats what it got no answer to. */
const REMEMBERED_MS = 7 * 24 * 60 * 60_000

/**
 * What of providers was dealt with already: they repeat what they got no answer to, also to the program that was
 * started meanwhile (security row 25).
 */
export interface Seen {
  /**
   * Runs once per id; a repetition gets `again`. What fails is forgotten, so that a repetition may succeed. The id is
   * committed after the act: a crash between the two makes the repetition run it again, so that an act which must not
   * happen twice commits the id itself, as `commandAlert` does with its `once`.
   */
  once<T>(id: string, act: () => Promise<T>, again: T): Promise<T>
}

export function createSeen(registry: Pick<Registry, 'get' | 'put'>): Seen {
  const underWay = new Set<string>()
  return {
    async once(id, act, again) {
      const place = placeOf(id)
      if (underWay.has(id) || registry.get(CALLBACK, place) !== undefined) return again
      underWay.add(id)
      try {
        const result = await act()
        await registry.put(CALLBACK, place, {})
        return result
      } finally {
        underWay.delete(id)
      }
    },
  }
}

/** Forgets what no provider repeats any more, at most `limit` of it. */
export async function forgetSeen(
  registry: Pick<Registry, 'all' | 'remove'>,
  now: number,
  limit: number,
): Promise<void> {
  const old = [...registry.all(CALLBACK)].filter(({ changedAt }) => changedAt <= now - REMEMBERED_MS)
  for (const { key } of old.slice(0, limit)) await registry.remove(CALLBACK, placeOf(key))
}

/** Providers know of no tenants: their ids are those of the whole installation. */
const placeOf = (key: string) => ({ tenant: DEFAULT_TENANT, owner: '', key })
