import type { BusMessage } from '../../nodes/bus.ts'
import { isAfter } from '../../nodes/bus.ts'
import type { Homecoming } from '../../nodes/homes.ts'
import type { BrokerOptions } from '../broker-options.ts'
import type { Message } from '../session/frame.ts'
import type { Persistence } from '../session/persistence.ts'
import { loadSession, placeSession, type RestoreOptions } from '../session/restore-sessions.ts'
import type { Sessions } from '../session/sessions.ts'

/** How long a session that was taken from here counts as connected (security row 12). */
const TAKEN_MS = 60_000

export interface RoamingOptions {
  readonly nodes: NonNullable<BrokerOptions['nodes']>
  readonly persistence: Persistence
  readonly sessions: Sessions
  readonly clock: BrokerOptions['clock']
  readonly log: BrokerOptions['log']
  readonly recall: RestoreOptions['recall']
  readonly maySubscribe: RestoreOptions['maySubscribe']
  /** The session is served elsewhere from now on: its connection has to end. */
  readonly release: (id: string) => void
}

/**
 * Brings sessions from node to node. What was said while one was on its way is read from the bus, from where its old
 * home had stored it on, so that nothing is left out; a message that was stored there already is known by its place.
 */
export class Roaming {
  private readonly options: RoamingOptions
  private readonly arriving = new Map<string, Promise<void>>()
  /** Where on the bus this node said that it has a session, until it hears that itself. */
  private readonly taken = new Map<string, string>()
  /** At home here, and not read yet. */
  private readonly expected: Homecoming[] = []
  private readonly lost = new Map<string, number>()

  constructor(options: RoamingOptions) {
    this.options = options
    options.nodes.bus.hear('take', ({ body, from, position }) =>
      this.heard(String(body['id']), from, position),
    )
  }

  /** Whether another node took the session away lately: two clients with one id throw each other out over nodes, too. */
  contested(id: string): boolean {
    return (this.lost.get(id) ?? -Infinity) > this.options.clock.now() - TAKEN_MS
  }

  /**
   * Before a CONNECT is answered: its session is here then, and no other node has a connection of it. While the nodes
   * cannot reach each other it is what this one knows, and otherwise a new one. Never rejects.
   */
  async bring(id: string, clean: boolean): Promise<void> {
    const { nodes, persistence, sessions, log } = this.options
    try {
      // A short outage is no reason to have two of it.
      const home = await nodes.homes.take(id).catch(() => nodes.homes.take(id))
      this.taken.set(id, home.position)
      if (clean && home.stored && !sessions.has(id)) await persistence.dropSession({ id })
      if (!clean) await this.arrive(home)
    } catch (error) {
      log.warn(
        { err: error, session: id },
        'a session could not be brought here; the client goes on without it',
      )
    }
  }

  /** Takes over the sessions of a node that is gone. They have no connection. Rejects when it has to be called again. */
  async takeOver(node: string): Promise<void> {
    for await (const home of this.options.nodes.homes.takeFrom(node)) {
      if (home.stored) this.taken.set(home.stored.id, home.position)
      this.expected.push(home)
    }
    // One that cannot be read now is tried again with the next call, for nobody else can have it any more.
    for (let next = this.expected[0]; next; next = this.expected[0]) {
      await this.arrive(next)
      this.expected.shift()
    }
  }

  private async arrive(home: Homecoming): Promise<void> {
    const { stored } = home
    if (!stored) return
    const { id } = stored
    const coming = this.arriving.get(id)
    if (coming) return coming
    if (this.options.sessions.has(id)) return
    const arrival = this.load(home).finally(() => this.arriving.delete(id))
    this.arriving.set(id, arrival)
    return arrival
  }

  private async load({ stored, servedTo, position }: Homecoming): Promise<void> {
    const { sessions, clock, nodes } = this.options
    const loaded = stored && (await loadSession({ ...this.options, now: clock.now() }, stored))
    if (!loaded) return
    const missed: BusMessage[] = []
    let read = servedTo ?? position
    do {
      const more = await nodes.homes.said(read)
      missed.push(...more)
      if (more.length === 0) break
      read = more.at(-1)?.position ?? read
    } while (isAfter(nodes.bus.position, read))
    // Taken by somebody else meanwhile.
    if (
      missed.some(
        ({ kind, body, from, position: at }) =>
          kind === 'take' && body['id'] === loaded.id && from !== nodes.bus.node && isAfter(at, position),
      )
    )
      return
    const session = placeSession(this.options, loaded)
    session.servedTo = read
    const known = new Set(loaded.queued.map((packet) => ('brokerId' in packet ? packet.brokerId : undefined)))
    for (const said of missed) {
      const message = said.kind === 'message' ? messageIn(said) : null
      if (message && !known.has(said.position))
        sessions.serve(session, message, tenantOf(said), said.position)
    }
  }

  private heard(id: string, from: string, position: string): void {
    const { nodes, clock, release } = this.options
    const own = this.taken.get(id)
    if (from === nodes.bus.node) {
      if (own === position) this.taken.delete(id)
      return
    }
    // It came back since.
    if (own !== undefined && isAfter(own, position)) return
    if (this.options.sessions.has(id)) this.lost.set(id, clock.now())
    for (const [other, at] of this.lost) {
      if (at > clock.now() - TAKEN_MS) break
      this.lost.delete(other)
    }
    release(id)
  }
}

/** What {@link messageIn} reads again. */
export function bodyOf({ topic, qos, retain, passing }: Message, tenant: string | null): BusMessage['body'] {
  return { topic, qos, retain, tenant, ...(passing && { passing }) }
}

/** A message between subscribers as it came over the bus. */
export function messageIn({ body, payload }: BusMessage): Message {
  const { topic, qos, retain, passing } = body as unknown as Omit<Message, 'payload'>
  return { topic, payload, qos, retain, ...(passing === true && { passing }) }
}

export function tenantOf({ body }: BusMessage): string | null {
  return typeof body['tenant'] === 'string' ? body['tenant'] : null
}
