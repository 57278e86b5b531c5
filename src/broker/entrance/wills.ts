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
  private cancel: () => void = () => {}

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
    } else if (orphaned || this.holders.delete(sessionId)) this.options.keeper.willDone(sessionId)
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
    for (const will of wills) if (will.clientId !== undefined) this.orphans.set(will.clientId, will)
    if (this.orphans.size > 0) this.cancel = clock.at(clock.now() + WILL_GRACE_MS, () => this.sayAll())
  }

  close(): void {
    this.cancel()
  }

  private sayAll(): void {
    const { recall, say, keeper } = this.options
    for (const [id, { principal, topic, payload, qos, retain }] of this.orphans) {
      const by = principal && recall(principal)
      const done = () => {
        if (!this.holders.has(id)) keeper.willDone(id)
      }
      if (by) say({ topic, payload: Buffer.from(payload), qos, retain }, by, id, done)
      else done()
    }
    this.orphans.clear()
  }
}
