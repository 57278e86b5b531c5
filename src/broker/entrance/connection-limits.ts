import type { Principal } from '../../access/principal.ts'
import type { Config } from '../../config/schema/schema.ts'
import type { Peer } from './connection.ts'

/**
 * Connections that may wait to be accepted, as many as Linux grants by itself. Of Node's 511 a network that comes back
 * uses up all at once, and whoever finds no room there waits for seconds.
 */
export const BACKLOG = 4096

/** Counts open connections in all, by address (security row 16), and by person and transport. */
export class ConnectionLimits {
  private readonly limits: Config['limits']
  private readonly byAddress = new Map<string, number>()
  private readonly byPerson = new Map<string, number>()
  private open = 0

  constructor(limits: Config['limits']) {
    this.limits = limits
  }

  get count(): number {
    return this.open
  }

  /** Why there is no room for another connection from this address, or null. */
  fault(remoteAddress: string): 'connections' | 'connections_per_address' | null {
    if (this.open >= this.limits.connections) return 'connections'
    if (isLoopback(remoteAddress)) return null
    const here = this.byAddress.get(remoteAddress) ?? 0
    return here >= this.limits.connections_per_address ? 'connections_per_address' : null
  }

  /** Counts a connection. Returns a function that counts it out again, once. */
  enter(remoteAddress: string): () => void {
    this.open++
    this.byAddress.set(remoteAddress, (this.byAddress.get(remoteAddress) ?? 0) + 1)
    let inside = true
    return () => {
      if (!inside) return
      inside = false
      this.open--
      const left = (this.byAddress.get(remoteAddress) ?? 1) - 1
      if (left > 0) this.byAddress.set(remoteAddress, left)
      else this.byAddress.delete(remoteAddress)
    }
  }

  /**
   * Counts a connection of a person over one transport, and returns a function that counts it out again, once; null
   * when they have as many as they may. Machines have no such limit.
   */
  enterPerson({ kind, id }: Principal, transport: Peer['transport']): (() => void) | null {
    if (kind !== 'user') return () => {}
    const key = `${transport} ${id}`
    const count = this.byPerson.get(key) ?? 0
    if (count >= this.limits.streams_per_user) return null
    this.byPerson.set(key, count + 1)
    let inside = true
    return () => {
      if (!inside) return
      inside = false
      const left = (this.byPerson.get(key) ?? 1) - 1
      if (left > 0) this.byPerson.set(key, left)
      else this.byPerson.delete(key)
    }
  }
}

/** Whether an address, also one of IPv4 within IPv6, is this machine's own. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./i.test(address) || address === '::1'
}
