import type { InboxMark } from '../../store.ts'
import type { Collections, NotificationDocument } from '../collections.ts'
import { ignoringDuplicates } from '../connection/store-error.ts'
import { keyOf } from '../document/key.ts'
import { readingIdOf } from '../document/notification.ts'
import type { KeepCollections } from './collections.ts'
import { broadcastsFor, DELETED, isAddressed, READ, readingsOf, UNREAD } from './inbox.ts'

type State = 0 | 1 | 2

/** From which states each mark moves an entry, and where to. */
const MARKS = {
  read: { from: [UNREAD], to: READ },
  unread: { from: [READ], to: UNREAD },
  deleted: { from: [UNREAD, READ], to: DELETED },
  restored: { from: [DELETED], to: null },
} as const

/** One entry as this person has it. */
interface Entry {
  readonly document: NotificationDocument
  readonly state: State
  readonly readAt: number | null
}

/** What is done to one entry; a broadcast has its person. */
interface Step {
  readonly _id: string
  readonly from: State
  readonly to: State
  readonly readAt: number | null
  readonly shared?: {
    readonly tenant: string
    readonly userId: string
    readonly notificationId: string
    readonly seq: number
  }
}

type Tables = Pick<Collections, 'notifications' | 'reading' | 'counters' | 'nodes'> &
  Pick<KeepCollections, 'marks'>

/** A mark whose process is gone is finished by others after this time. */
const LEFT_BEHIND_MS = 10_000

/** So many steps fit into one document. */
const MOST_STEPS = 50_000

/** `nextId`: never the same twice, on any node. */
export function createMarks(tables: Tables, now: () => number, nextId: () => string) {
  const { notifications, reading, marks } = tables

  const entriesOf = async (mark: InboxMark): Promise<readonly Entry[]> => {
    const documents = mark.ids === 'all' ? await allOf(mark) : await byId(mark, [...new Set(mark.ids)])
    const shared = documents.filter(({ userId }) => userId === null)
    const readings = await readingsOf(
      tables,
      mark,
      shared.map(({ seq }) => seq),
    )
    return documents.map((document) => {
      if (document.userId !== null) return { document, state: document.state, readAt: document.readAt }
      const own = readings.get(document.seq)
      return { document, state: own?.state ?? UNREAD, readAt: own?.readAt ?? null }
    })
  }
  /** In the order of the inbox; `all` restores nothing. */
  const allOf = async (mark: InboxMark): Promise<readonly NotificationDocument[]> => {
    const { tenant, userId, as } = mark
    const from: State[] = MARKS[as].from.filter((state) => state !== DELETED)
    if (from.length === 0) return []
    const own = await notifications.find({ tenant, userId, state: { $in: from } }).toArray()
    const shared = await notifications.find(broadcastsFor(mark)).toArray()
    return [...own, ...shared].toSorted((a, b) => a.seq - b.seq)
  }
  /** In the order asked for. */
  const byId = async (mark: InboxMark, ids: readonly string[]): Promise<readonly NotificationDocument[]> => {
    const keys = ids.map((id) => keyOf(mark.tenant, id))
    const found = await notifications.find({ _id: { $in: keys } }).toArray()
    const known = new Map(found.map((each) => [each._id, each]))
    return keys.flatMap((key) => {
      const document = known.get(key)
      return document && isAddressed(document, mark) ? [document] : []
    })
  }

  const carryOut = async (steps: readonly Step[]): Promise<void> => {
    const own = steps.filter(({ shared }) => shared === undefined)
    const others = steps.filter(({ shared }) => shared !== undefined)
    const set = ({ to, readAt }: Step) => ({ state: to, readAt })
    await Promise.all([
      own.length > 0 &&
        notifications.bulkWrite(
          own.map((step) => ({
            updateOne: { filter: { _id: step._id, state: step.from }, update: { $set: set(step) } },
          })),
          { ordered: false },
        ),
      others.length > 0 &&
        // Where there is no row yet it counts as unread; one in another state is a duplicate, and stays.
        ignoringDuplicates(() =>
          reading.bulkWrite(
            others.map((step) => ({
              updateOne: {
                filter: { _id: step._id, state: step.from },
                update: { $set: { ...step.shared, ...set(step) } },
                upsert: step.from === UNREAD,
              },
            })),
            { ordered: false },
          ),
        ),
    ])
  }

  const together = async (steps: readonly Step[]): Promise<void> => {
    if (steps.length === 1) return carryOut(steps)
    const _id = nextId()
    await marks.insertOne({ _id, since: now(), steps: JSON.stringify(steps) })
    await carryOut(steps)
    await marks.deleteOne({ _id })
  }

  return {
    /** Ids that changed. Several entries are one step: what a crash leaves half done is finished by others. */
    async mark(mark: InboxMark): Promise<readonly string[]> {
      const { from, to } = MARKS[mark.as]
      const changed = (await entriesOf(mark)).filter(({ state }) =>
        (from as readonly State[]).includes(state),
      )
      const steps = changed.map(({ document, state, readAt }): Step => {
        const { tenant, id, seq } = document
        const shared = { tenant, userId: mark.userId, notificationId: id, seq }
        return {
          _id: document.userId === null ? readingIdOf(tenant, mark.userId, id) : document._id,
          from: state,
          to: to ?? (readAt === null ? UNREAD : READ),
          readAt: mark.as === 'read' ? mark.at : mark.as === 'unread' ? null : readAt,
          ...(document.userId === null && { shared }),
        }
      })
      for (let start = 0; start < steps.length; start += MOST_STEPS)
        await together(steps.slice(start, start + MOST_STEPS))
      return changed.map(({ document }) => document.id)
    },

    /** Finishes what processes have left half done that are gone. */
    async finishLeftBehind(): Promise<void> {
      const left = await marks
        .find({ since: { $lt: now() - LEFT_BEHIND_MS } })
        .sort({ since: 1 })
        .toArray()
      for (const { _id, steps } of left) {
        await carryOut(JSON.parse(steps) as readonly Step[])
        await marks.deleteOne({ _id })
      }
    },
  }
}
