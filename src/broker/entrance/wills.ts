import type { Principal } from '../../access/principal.ts'
import type { Clock } from '../../clock.ts'
import type { AedesPublish } from '../aedes.ts'
import type { PersistedWill } from '../session/persistence.ts'
import type { SessionKeeper } from '../session/session-keeper.ts'

/** How long the clients of a process that died have to come back before their wills are said. */
export const WILL_GRACE_MS = 60_000

export interface WillsOptions {
  readonly keeper: SessionKeeper
  readonly clock: Clock
  /** Who a principal is now; null for one that is not known any more. */
  readonly recall: (principal: Principal) => Principal | null
  /** Wills may come here with sessions of other nodes. */
  readonly roaming?: boolean
  /** Publishes in the name of somebody who is gone; calls back when it is stored or refused. */
  readonly say: (will: AedesPublish, by: Principal, sessionId: string, done: () => void) => void
}

/**
 * The last wills that outlive the process: whose connection died with it, and who does not come back within a minute,
 * has died meanwhile (MQTT 3.1.1 section 3.1.2.5). A will that was said just before a crash may be said again.
 */
export class Wills {
  private readonly options: WillsOptions
  /** Which connection the stored will of a session belongs to: the one that takes over stores its own first. */
  private readonly holders = new Map<string, object>()
  private readonly orphans = new Map<string, PersistedWill>()
  private readonly cancels = new Set<() => void>()

  constructor(options: WillsOptions) {
    this.options = options
  }

  /** A connection comes, with a will or without. Resolves when its will is stored. */
  async came(
    holder: object,
    sessionId: string,
    by: { will: AedesPublish | null; principal: Principal },
  ): Promise<void> {
    const { will, principal } = by
    const orphaned = this.orphans.delete(sessionId)
    if (will) {
      this.holders.set(sessionId, holder)
      const { topic, payload, qos, retain } = will
      await this.options.keeper.willPut(sessionId, { topic, payload, qos, retain, principal })
    } else if (this.holders.delete(sessionId) || orphaned || this.options.roaming)
      this.options.keeper.willDone(sessionId)
  }

  /** The will of this connection was said, or never will be. */
  done(holder: object, sessionId: string): void {
    if (this.holders.get(sessionId) !== holder) return
    this.holders.delete(sessionId)
    this.options.keeper.willDone(sessionId)
  }

  /** Wills of connections that died with an earlier process. */
  adopt(wills: readonly PersistedWill[]): void {
    const { clock } = this.options
    const ids = new Set<string>()
    for (const will of wills) {
      if (will.clientId === undefined) continue
      this.orphans.set(will.clientId, will)
      ids.add(will.clientId)
    }
    if (ids.size === 0) return
    const cancel = clock.at(clock.now() + WILL_GRACE_MS, () => {
      this.cancels.delete(cancel)
      this.sayAll(ids)
    })
    this.cancels.add(cancel)
  }

  /** The client of the session is with another node, and so is its will. */
  release(sessionId: string): void {
    this.orphans.delete(sessionId)
  }

  close(): void {
    for (const cancel of this.cancels) cancel()
  }

  private sayAll(ids: ReadonlySet<string>): void {
    const { recall, say, keeper } = this.options
    for (const [id, { principal, topic, payload, qos, retain }] of this.orphans) {
      if (!ids.has(id)) continue
      this.orphans.delete(id)
      const by = principal && recall(principal)
      const done = () => {
        if (!this.holders.has(id)) keeper.willDone(id)
      }
      if (by) say({ topic, payload: Buffer.from(payload), qos, retain }, by, id, done)
      else done()
    }
  }
}
