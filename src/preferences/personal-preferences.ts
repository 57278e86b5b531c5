import { createInTurn } from '../alert/change/in-turn.ts'
import type { Person, Preferences } from '../directory/directory.ts'
import { recordKind, type Registered, type Registry } from '../registry/registry.ts'
import { namesOf, type KindOfMessage } from './names.ts'
import { OPT_IN_CATEGORY } from './notification-types.ts'
import type { Preference } from './preference.ts'
import {
  compilePreferences,
  NO_WISHES,
  ONLY_IF_ASKED,
  type CompiledPreferences,
  type Wishes,
} from './wishes.ts'

interface Rows {
  /** In the order of writing. */
  readonly rows: readonly Preference[]
}

/** One record per person: all rows change together. */
const ROWS = recordKind<Rows>('preferences')
const KEY = 'rows'

type Whose = Pick<Person, 'id' | 'tenant'>
type Message = KindOfMessage & { readonly customerId?: string | undefined }

/** What people have said about how they want to be told; the switches of the configuration stay as they are. */
export interface PersonalPreferences {
  /** In the order of writing. */
  rows(person: Whose): readonly Preference[]
  wishes(person: Whose, message: Message): Wishes
  /** Whether a message of this kind shows up on their open pages and apps by their present rows and switches (R19, R28). */
  wantsLive(person: Whose & { readonly preferences: Preferences }, message: Message): boolean
  /**
   * Puts what `change` makes of the rows in their place; resolves after the commit with what is there now. A person's
   * changes come one after another, so that two at once are both kept; `record.stale` when another node was faster.
   * What `change` throws, this rejects with, and nothing is changed.
   */
  change(
    person: Whose,
    change: (rows: readonly Preference[]) => readonly Preference[],
  ): Promise<readonly Preference[]>
}

export function createPersonalPreferences(registry: Pick<Registry, 'get' | 'put'>): PersonalPreferences {
  const inTurn = createInTurn()
  // A record that was changed is another object, so that nothing in here is ever out of date.
  const compiled = new WeakMap<Registered<Rows>, CompiledPreferences>()
  const placeOf = ({ id, tenant }: Whose) => ({ tenant, owner: id, key: KEY })
  const recordOf = (person: Whose) => registry.get(ROWS, placeOf(person))
  const compiledOf = (record: Registered<Rows>) => {
    const known = compiled.get(record)
    if (known) return known
    const made = compilePreferences(record.doc.rows)
    compiled.set(record, made)
    return made
  }

  const self: PersonalPreferences = {
    rows: (person) => recordOf(person)?.doc.rows ?? [],
    wishes(person, message) {
      const optIn = message.category === OPT_IN_CATEGORY
      const record = recordOf(person)
      if (!record) return optIn ? ONLY_IF_ASKED : NO_WISHES
      return { channels: compiledOf(record).about(namesOf(message), message.customerId), optIn }
    },
    wantsLive(person, message) {
      const { channels, optIn } = self.wishes(person, message)
      return channels.get('realtime')?.enabled ?? (!optIn && person.preferences.realtime)
    },
    change: (person, change) =>
      inTurn(`${person.tenant} ${person.id}`, async () => {
        const record = recordOf(person)
        const rows = change(record?.doc.rows ?? [])
        return (await registry.put(ROWS, placeOf(person), { rows }, record?.version ?? 0)).doc.rows
      }),
  }
  return self
}
