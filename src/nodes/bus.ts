/** Something that one node says to all. */
export interface BusMessage {
  readonly kind: string
  /** The node that said it. */
  readonly from: string
  readonly body: Readonly<Record<string, unknown>>
  readonly payload: Uint8Array
  /** Its place in what all nodes hear: grows from message to message, compares with {@link isAfter}. */
  readonly position: string
}

/**
 * What nodes tell each other. Everybody hears everything, the one who says it included, and all in the same order. A
 * node that was cut off hears what it has missed, as long as that is kept; beyond it, and after the whole of it was
 * lost, it is told to look into the store. Nothing that must not be lost is said here alone.
 */
export interface Bus {
  /** Of this start of the program; no other node has it, and no later start. */
  readonly node: string
  /** Whether there is anybody else to speak of: false for the only node of an installation. */
  readonly shared: boolean
  /** Whether the others can be reached. */
  readonly up: boolean
  /** Resolves once everybody will hear it. Rejects when nobody may have; it may have been heard all the same. */
  send(kind: string, body: BusMessage['body'], payload?: Uint8Array): Promise<void>
  /** Calls with every message of the kind; must not throw. */
  hear(kind: string, listener: (message: BusMessage) => void): void
  /** Calls after messages may have been missed. */
  onGap(look: () => void): void
  /** The place of the last message that was heard. */
  readonly position: string
  close(): Promise<void>
}

/** How a part of the engine speaks to its likes on other nodes. What is told may be lost. */
export interface Others {
  tell(kind: string, body: BusMessage['body']): void
  /** Calls with what others told, never with what this node did; must not throw. */
  hear(kind: string, listener: (body: BusMessage['body'], from: string) => void): void
  /** Whether they can be reached now. */
  readonly up: boolean
}

/** Whether a position comes after another one. */
export function isAfter(position: string, other: string): boolean {
  const [at, number] = partsOf(position)
  const [otherAt, otherNumber] = partsOf(other)
  return at === otherAt ? number > otherNumber : at > otherAt
}

/** Before every message. */
export const BEGINNING = '0-0'

function partsOf(position: string): readonly [number, number] {
  const dash = position.indexOf('-')
  return [Number(position.slice(0, dash)), Number(position.slice(dash + 1))]
}

/** The in-process {@link Bus}: nodes of one process, usually a single one. What is said is heard before `send` returns. */
export function createHub(): { join(node: string): Bus } {
  const members = new Set<Map<string, ((message: BusMessage) => void)[]>>()
  let number = 0
  return {
    join(node) {
      const listeners = new Map<string, ((message: BusMessage) => void)[]>()
      members.add(listeners)
      return {
        node,
        get shared() {
          return members.size > 1
        },
        up: true,
        async send(kind, body, payload = NOTHING) {
          const message = { kind, from: node, body, payload, position: `0-${++number}` }
          for (const member of members) for (const listener of member.get(kind) ?? []) listener(message)
        },
        hear: (kind, listener) => void listeners.set(kind, [...(listeners.get(kind) ?? []), listener]),
        // Nothing is ever missed within a process.
        onGap: () => {},
        get position() {
          return `0-${number}`
        },
        async close() {
          members.delete(listeners)
        },
      }
    },
  }
}

const NOTHING = new Uint8Array()
