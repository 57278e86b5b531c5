import type { Log } from '../log.ts'
import type { Bus, BusMessage } from './bus.ts'

/** One line about hints that could not be given, until one can be again. */
export interface Hints {
  /** Tells the other nodes; the same hint twice in one turn of the event loop is told once. */
  tell(kind: string, body: BusMessage['body']): void
  /** The same, with everybody whom it concerns in one message. */
  gather(kind: string, body: BusMessage['body'], user: string): void
}

/** Hints of one turn leave together, without doubles; one that cannot be told is dropped, for the store has it. */
export function createHints(bus: Bus, log: Log): Hints {
  let waiting = new Map<string, { kind: string; body: BusMessage['body']; users: Set<string> }>()
  let silent = false

  const flush = () => {
    const leaving = waiting
    waiting = new Map()
    for (const { kind, body, users } of leaving.values()) {
      bus.send(kind, users.size === 0 ? body : { ...body, users: [...users] }).then(
        () => (silent = false),
        (error: unknown) => {
          if (!silent) log.warn({ err: error }, 'the other nodes hear nothing now, and look into the store')
          silent = true
        },
      )
    }
  }
  const enter = (kind: string, body: BusMessage['body']) => {
    const key = `${kind} ${JSON.stringify(body)}`
    const known = waiting.get(key)
    if (known) return known
    if (waiting.size === 0) queueMicrotask(flush)
    const entry = { kind, body, users: new Set<string>() }
    waiting.set(key, entry)
    return entry
  }
  return {
    tell: (kind, body) => void enter(kind, body),
    gather: (kind, body, user) => void enter(kind, body).users.add(user),
  }
}
