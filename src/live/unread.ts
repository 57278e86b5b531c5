import type { Clock } from '../clock.ts'
import type { InboxReader, InboxSummary, Store } from '../store/store.ts'
import { backOffMs } from './back-off.ts'
import type { Gate } from './gate.ts'

/** How often one person's summary is read at most. */
const SPACING_MS = 50

export interface Unread {
  /** Somebody wants this person's summary: it is told once, and after each change. Ends with as many `unwatch`. */
  watch(reader: InboxReader): void
  unwatch(userId: string): void
  /** Something may have changed. Costs one look-up in a map when nobody watches. */
  changed(userId: string): void
  close(): void
}

interface Watched {
  readonly reader: InboxReader
  watchers: number
  /** A change since the last read began. */
  dirty: boolean
  /** A read is waiting, running, or put off. */
  busy: boolean
  notBefore: number
  failures: number
  version: number
  cancel: () => void
}

/**
 * Keeps the unread counts of people who look at them: one read per person at a time and one per 50 ms, always the
 * last state last, never an older version after a newer one.
 */
export function createUnread(options: {
  readonly store: Pick<Store, 'inboxSummary'>
  readonly clock: Clock
  readonly gate: Gate
  readonly tell: (userId: string, summary: InboxSummary) => void
  readonly failed: (error: unknown) => void
}): Unread {
  const { store, clock, gate, tell, failed } = options
  const people = new Map<string, Watched>()

  const refresh = (person: Watched) => {
    person.dirty = true
    if (person.busy) return
    person.busy = true
    if (clock.now() < person.notBefore) person.cancel = clock.at(person.notBefore, () => void read(person))
    else void read(person)
  }

  const read = async (person: Watched) => {
    try {
      const summary = await gate(async () => {
        // Only what changes from here on may be missing from the answer.
        person.dirty = false
        return person.watchers > 0 ? store.inboxSummary(person.reader) : null
      })
      person.failures = 0
      person.notBefore = clock.now() + SPACING_MS
      if (summary && person.watchers > 0 && summary.version >= person.version) {
        person.version = summary.version
        tell(person.reader.userId, summary)
      }
    } catch (error) {
      failed(error)
      person.failures += 1
      person.notBefore = clock.now() + backOffMs(person.failures)
      person.dirty = true
    }
    person.busy = false
    if (person.dirty && person.watchers > 0) refresh(person)
  }

  return {
    watch(reader) {
      let person = people.get(reader.userId)
      if (!person) {
        person = {
          reader,
          watchers: 0,
          dirty: false,
          busy: false,
          notBefore: 0,
          failures: 0,
          version: -1,
          cancel: () => {},
        }
        people.set(reader.userId, person)
      }
      person.watchers += 1
      refresh(person)
    },
    unwatch(userId) {
      const person = people.get(userId)
      if (!person) return
      person.watchers -= 1
      if (person.watchers > 0) return
      person.cancel()
      people.delete(userId)
    },
    changed(userId) {
      const person = people.get(userId)
      if (person) refresh(person)
    },
    close() {
      for (const person of people.values()) {
        person.watchers = 0
        person.cancel()
      }
      people.clear()
    },
  }
}
