import { fitsPattern, specificity } from '../directory/alert-type.ts'
import type { PersonalChannel, Preference } from './preference.ts'

/** What a person's own row says about a channel, and which row that was. */
export interface Wish {
  readonly enabled: boolean
  /** Its `event_type`. */
  readonly pattern: string
}

/** What a person wants of one message. Channels that are not there are left to the switches and the priority. */
export interface Wishes {
  readonly channels: ReadonlyMap<PersonalChannel, Wish>
  /** Without a row that switches it on, the message comes on no channel (checklist X14, X34). */
  readonly optIn: boolean
}

/** Of those who have said nothing. */
export const NO_WISHES: Wishes = { channels: new Map(), optIn: false }

/** The same, about what nobody gets without having asked for it. */
export const ONLY_IF_ASKED: Wishes = { channels: new Map(), optIn: true }

/** Rows made ready for many questions. */
export interface CompiledPreferences {
  /** The wishes about a message of these names, of this customer if any. */
  readonly about: (names: readonly string[], customerId?: string) => ReadonlyMap<PersonalChannel, Wish>
}

interface Row {
  readonly preference: Preference
  readonly fits: (name: string) => boolean
  readonly rank: number
  /** Position in the order of writing. */
  readonly written: number
}

/**
 * Which row decides, for each channel: one for the message's customer before one for all; then a name before a
 * pattern and the longer pattern before the shorter; then the one written last. Its place among the rows decides
 * nothing else.
 */
export function compilePreferences(preferences: readonly Preference[]): CompiledPreferences {
  const named = new Map<string, Row[]>()
  const patterns: Row[] = []
  for (const [written, preference] of preferences.entries()) {
    const { eventType } = preference
    const row = { preference, written, rank: specificity(eventType), fits: matcher(eventType) }
    if (eventType.includes('*')) patterns.push(row)
    else named.set(eventType, [...(named.get(eventType) ?? []), row])
  }
  return {
    about(names, customerId) {
      const best = new Map<PersonalChannel, Row>()
      const consider = (row: Row) => {
        const { channel, customerId: only } = row.preference
        if (only !== null && only !== customerId) return
        const before = best.get(channel)
        if (before === undefined || precedence(row, before) > 0) best.set(channel, row)
      }
      for (const name of names) named.get(name)?.forEach(consider)
      for (const row of patterns) if (names.some(row.fits)) consider(row)
      const wishes = new Map<PersonalChannel, Wish>()
      for (const [channel, { preference }] of best)
        wishes.set(channel, { enabled: preference.enabled, pattern: preference.eventType })
      return wishes
    },
  }
}

/** Above zero when `a` decides. */
function precedence(a: Row, b: Row): number {
  const customer = Number(a.preference.customerId !== null) - Number(b.preference.customerId !== null)
  if (customer !== 0) return customer
  if (a.rank !== b.rank) return a.rank - b.rank
  return a.preference.eventType.length - b.preference.eventType.length || a.written - b.written
}

/** `payment.*` fits `payment` too: whoever wants nothing of a kind does not want what has no finer name either. */
export function matcher(pattern: string): (name: string) => boolean {
  const prefix = pattern.slice(0, -1)
  if (pattern.endsWith('*') && !prefix.includes('*')) {
    const kind = prefix.endsWith('.') ? prefix.slice(0, -1) : null
    return (name) => name.startsWith(prefix) || name === kind
  }
  if (!pattern.endsWith('.*')) return (name) => fitsPattern(name, pattern)
  const kind = pattern.slice(0, -2)
  return (name) => fitsPattern(name, pattern) || fitsPattern(name, kind)
}
