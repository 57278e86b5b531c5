import type { mongo } from 'mongoose'
import { isDuplicate } from '../connection/store-error.ts'
import type { HeadDocument } from './collections.ts'

/** Other nodes add too: so often in a row nobody is overtaken. */
const MOST_TRIES = 1000

/** What is to be added behind a head. */
export interface Addition<Row> {
  readonly version: number
  readonly hash?: string
  readonly rows: readonly Row[]
}

/** Rows in one order over all nodes. */
export interface Ledger<Row> {
  /** Its end; every row up to there is written out. */
  head(): Promise<HeadDocument<Row>>
  /**
   * Adds what `make` makes of the end as it is, or nothing when that is null. Another node may be faster: then `make` is
   * asked again. Resolves when the rows are written out.
   */
  add(make: (head: HeadDocument<Row>) => Promise<Addition<Row> | null>): Promise<void>
}

export interface LedgerOptions<Row> {
  readonly heads: mongo.Collection<HeadDocument<Row>>
  readonly name: string
  /** The hash before the first row. */
  readonly start?: string
  /** May be called again with the same rows, also long after they were written. */
  readonly writeOut: (rows: readonly Row[]) => Promise<void>
}

/**
 * One atomic write of the head takes the numbers and holds the rows; then they are written out, by the writer or, after a
 * crash, by whoever comes by. So no number is ever skipped, none is taken twice, and a node that was stopped in between
 * can do no harm when it goes on.
 */
export function createLedger<Row>({ heads, name, start = '', writeOut }: LedgerOptions<Row>): Ledger<Row> {
  // `Filter` and `UpdateFilter` cannot see through the type parameter.
  const at = (version: number) => ({ _id: name, version }) as mongo.Filter<HeadDocument<Row>>
  const set = (head: object) => ({ $set: head }) as mongo.UpdateFilter<HeadDocument<Row>>

  const finish = async ({ version, pending }: HeadDocument<Row>) => {
    await writeOut(pending)
    await heads.updateOne(at(version), set({ pending: [] }))
  }
  const head = async (): Promise<HeadDocument<Row>> => {
    const found = await heads.findOne({ _id: name } as mongo.Filter<HeadDocument<Row>>)
    if (!found) return { _id: name, version: 0, hash: start, pending: [] }
    // The driver's type of what was found is that of the collection.
    const end = found as HeadDocument<Row>
    if (end.pending.length > 0) await finish(end)
    return end
  }
  const advance = async (from: number, next: HeadDocument<Row>): Promise<boolean> => {
    const { version, hash, pending } = next
    try {
      const { matchedCount, upsertedCount } = await heads.updateOne(
        at(from),
        set({ version, hash, pending }),
        {
          // Only the first one finds nothing: an end that has moved on is a duplicate.
          upsert: from === 0,
        },
      )
      return matchedCount + upsertedCount === 1
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }
  return {
    head,
    async add(make) {
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const end = await head()
        const addition = await make(end)
        if (addition === null) return
        const { version, hash = '', rows } = addition
        const next = { _id: name, version, hash, pending: rows }
        if (await advance(end.version, next)) return finish(next)
      }
      throw new Error(`${name} was changed by others ${MOST_TRIES} times in a row`)
    },
  }
}
