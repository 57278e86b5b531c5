import type { TenantId } from '../access/principal.ts'
import { fitsPattern } from '../directory/alert-type.ts'
import { recordKind, type Registered, type Registry } from '../registry/registry.ts'
import { fault } from '../errors.ts'

/** What an event says on each channel; texts are templates (checklist N05, push N13). */
export interface EventChannels {
  readonly email?: {
    readonly subject: string
    readonly is_html: boolean
    readonly content: string
    readonly no_of_attachments: number
  }
  readonly sms?: { readonly content: string }
  readonly push?: { readonly title: string; readonly content: string }
}

export interface EventFields {
  readonly name: string
  readonly description: string
  readonly channels: EventChannels
}

/** An event of a service: the occasion of notifications. */
export interface ServiceEvent extends EventFields {
  readonly id: string
  /** Grows with every change, so that a notification can tell which words it was made of (checklist N13). */
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
}

interface EventDoc extends EventFields {
  readonly createdAt: number
  /** A deleted event is hidden, not gone: notifications refer to it (checklist N07). */
  readonly deletedAt: number | null
}

/** Whose events. */
export interface EventOwner {
  readonly tenant: TenantId
  readonly owner: string
}

/** The events of services (checklist N05 to N07). A change is whole or did not happen. */
export interface ServiceEvents {
  create(of: EventOwner, id: string, fields: EventFields, now: number): Promise<ServiceEvent>
  /** Throws `notipy.event_not_found`, for one that was deleted and for somebody else's too. */
  get(of: EventOwner, id: string): ServiceEvent
  /** In the order in which they were made, those whose name or description fits {@link matchesQuery}. */
  list(of: EventOwner, query: string): readonly ServiceEvent[]
  /** Fields that are left out stay as they are. */
  change(of: EventOwner, id: string, fields: Partial<EventFields>): Promise<ServiceEvent>
  remove(of: EventOwner, id: string, now: number): Promise<void>
  /** Deletes all of them, for good. */
  clear(of: EventOwner): Promise<void>
}

const EVENT = recordKind<EventDoc>('notipy_event')
/** They are held in memory. */
const MOST_EVENTS = 1000

export function createServiceEvents(registry: Registry): ServiceEvents {
  const find = (of: EventOwner, id: string) => {
    const found = registry.get(EVENT, { ...of, key: id })
    if (!found || found.doc.deletedAt !== null) throw fault('notipy.event_not_found')
    return found
  }
  return {
    async create(of, id, fields, now) {
      if (registry.list(EVENT, of.tenant, of.owner).length >= MOST_EVENTS) {
        throw fault('notipy.invalid', `A service has at most ${MOST_EVENTS} events, deleted ones included`)
      }
      const doc = { ...fieldsOf(fields), createdAt: now, deletedAt: null }
      return eventOf(await registry.put(EVENT, { ...of, key: id }, doc, 0))
    },
    get: (of, id) => eventOf(find(of, id)),
    list: (of, query) =>
      registry
        .list(EVENT, of.tenant, of.owner)
        .filter(({ doc }) => doc.deletedAt === null)
        .filter(({ doc }) => matchesQuery(doc.name, query) || matchesQuery(doc.description, query))
        .map(eventOf),
    async change(of, id, fields) {
      const { doc, version } = find(of, id)
      return eventOf(
        await registry.put(
          EVENT,
          { ...of, key: id },
          { ...doc, ...fieldsOf({ ...doc, ...fields }) },
          version,
        ),
      )
    },
    async remove(of, id, now) {
      const { doc, version } = find(of, id)
      await registry.put(EVENT, { ...of, key: id }, { ...doc, deletedAt: now }, version)
    },
    async clear(of) {
      for (const { key } of registry.list(EVENT, of.tenant, of.owner))
        await registry.remove(EVENT, { ...of, key })
    },
  }
}

function fieldsOf({ name, description, channels }: EventFields): EventFields {
  return { name, description, channels }
}

function eventOf({ key, doc, version, changedAt }: Registered<EventDoc>): ServiceEvent {
  return { id: key, ...fieldsOf(doc), version, createdAt: doc.createdAt, updatedAt: changedAt }
}

/**
 * Whether a text contains what is searched for, whatever the case. Of regular expressions, which upstream takes, only
 * what needs no backtracking is understood: `^`, `$`, `.*` and `|` (checklist N06, security row 29).
 */
export function matchesQuery(text: string, query: string): boolean {
  return query
    .toLowerCase()
    .split('|')
    .some((alternative) => {
      const start = alternative.startsWith('^') ? '' : '*'
      const end = alternative.endsWith('$') ? '' : '*'
      const middle = alternative.replace(/^\^/, '').replace(/\$$/, '').replaceAll('.*', '*')
      return fitsPattern(text.toLowerCase(), `${start}${middle}${end}`)
    })
}
