import { DEFAULT_TENANT } from '../access/principal.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { Fault } from '../errors.ts'
import { recordKind, type Registry } from '../registry/registry.ts'

const LEASE = recordKind<{ readonly node: string; readonly until: number }>('lease')

/** How long a lease holds, and how often it is renewed: whoever dies is followed within ten seconds. */
const LEASE_MS = 5000
const RENEW_MS = 1500
/** Its holder stops before it ends, so that clocks may differ a little. */
const MARGIN_MS = 500

/** What only one node does. */
export interface Lease {
  /** Whether it is this one, now. Asked right before each thing that is to happen once. */
  held(): boolean
  /** Looks now, before the next time comes; resolves after it. Never rejects. */
  look(): Promise<void>
  close(): Promise<void>
}

/**
 * A lease on a record of the store, which every backend changes by compare-and-set: two nodes never hold it at the same
 * time but for their clocks, which are the store's (promise P18). Whoever was paused finds it over, by its own clock;
 * what is done under it has to be refused or harmless the second time, all the same.
 */
export function createLease(
  { registry, clock, log }: { readonly registry: Registry; readonly clock: Clock; readonly log: Log },
  { name, node }: { readonly name: string; readonly node: string },
): Lease {
  const place = { tenant: DEFAULT_TENANT, owner: '', key: name }
  let heldUntil = 0
  let closed = false
  let cancel = () => {}

  const put = async (until: number): Promise<void> => {
    const version = registry.get(LEASE, place)?.version ?? 0
    await registry.put(LEASE, place, { node, until }, version)
  }
  const look = async () => {
    try {
      await registry.catchUp()
      const now = clock.now()
      const known = registry.get(LEASE, place)?.doc
      if (known && known.node !== node && now < known.until) {
        heldUntil = 0
        return
      }
      await put(now + LEASE_MS)
      if (heldUntil === 0) log.info({ lease: name }, 'this node does from now on what only one does')
      heldUntil = now + LEASE_MS - MARGIN_MS
    } catch (error) {
      // Another one was faster. Otherwise what is held is held until its end.
      if (error instanceof Fault && error.code === 'record.stale') heldUntil = 0
      else log.warn({ err: error, lease: name }, 'a lease could not be renewed')
    }
  }
  const arm = () => {
    cancel = clock.at(clock.now() + RENEW_MS, () => {
      void look().then(() => {
        if (!closed) arm()
      })
    })
  }
  arm()
  return {
    held: () => clock.now() < heldUntil,
    look,
    async close() {
      closed = true
      cancel()
      if (clock.now() < heldUntil) await put(0).catch(() => {})
      heldUntil = 0
    },
  }
}
