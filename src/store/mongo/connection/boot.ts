import { isDuplicate } from './store-error.ts'
import type { mongo } from 'mongoose'
import { INDEXES } from '../indexes.ts'
import { KEEP_INDEXES } from '../keep/collections.ts'

/**
 * The schema that this build writes. `minor` grows with what older builds need not know: new collections, indexes and
 * optional fields. `major` grows with what they would misread, and then they refuse the data.
 */
export const SCHEMA = { major: 1, minor: 0 } as const

export interface Boot {
  /** The highest instant that any commit of an earlier run carried (promise P18). */
  readonly highWaterAt: number
  /** How often the store was opened, by whichever node. */
  readonly bootCount: number
}

interface SchemaDocument {
  readonly _id: 'schema'
  readonly major: number
  readonly minor: number
}

interface MoveDocument {
  readonly _id: 'move'
  readonly done: boolean
}

interface BootsDocument {
  readonly _id: 'boots'
  readonly count: number
}

/**
 * Checks that this build may use what is there, makes what is missing of indexes, and counts the start. Nodes are upgraded
 * one by one (promise P28): a newer minor schema is used as it is, a newer major one throws and nothing is touched.
 */
export async function bootStore(db: mongo.Db, unfinished = false): Promise<Boot> {
  const meta = db.collection<SchemaDocument>('meta')
  const found = await meta.findOne({ _id: 'schema' })
  if (found && found.major > SCHEMA.major)
    throw new Error(
      `The data in MongoDB has schema version ${found.major}.${found.minor}, and this build reads up to ${SCHEMA.major}: ` +
        'start the newer build again, or restore a backup made by this one',
    )
  if (!unfinished && (await db.collection<MoveDocument>('meta').findOne({ _id: 'move', done: false })))
    throw new Error(
      'Data is being moved into this database, or was in part: let `carillon migrate` end first',
    )
  await Promise.all(
    Object.entries({ ...INDEXES, ...KEEP_INDEXES }).map(([name, indexes]) =>
      db.collection(name).createIndexes([...indexes]),
    ),
  )
  await again(() =>
    meta.updateOne(
      { _id: 'schema' },
      { $max: { minor: SCHEMA.minor }, $setOnInsert: { major: SCHEMA.major } },
      { upsert: true },
    ),
  )
  const boots = await again(() =>
    db
      .collection<BootsDocument>('meta')
      .findOneAndUpdate({ _id: 'boots' }, { $inc: { count: 1 } }, { upsert: true, returnDocument: 'after' }),
  )
  const [highest] = await db
    .collection<{ readonly highWaterAt: number }>('nodes')
    .find({}, { projection: { highWaterAt: 1 } })
    .sort({ highWaterAt: -1 })
    .limit(1)
    .toArray()
  return { highWaterAt: highest?.highWaterAt ?? 0, bootCount: boots?.count ?? 1 }
}

/** Several nodes may be the first at once: then all but one find what they were to make, and change it instead. */
async function again<T>(upsert: () => Promise<T>): Promise<T> {
  try {
    return await upsert()
  } catch (error) {
    if (!isDuplicate(error)) throw error
    return upsert()
  }
}
