import { Fault } from '../../../errors.ts'
import { isDuplicate, storeError } from '../connection/store-error.ts'

const DUPLICATE_KEY = 11_000

/** Which of the documents of an unordered insert were there already; anything else that went wrong is thrown. */
export async function insertMissing(insert: Promise<unknown>): Promise<ReadonlySet<number>> {
  try {
    await insert
    return new Set()
  } catch (error) {
    const { writeErrors, result } = error as BulkError
    if (writeErrors === undefined) {
      if (isDuplicate(error)) return new Set([0])
      throw error
    }
    const failed = [writeErrors].flat()
    // The duplicates came first, but what was written may be lost with a server.
    const unsure = result?.getWriteConcernError?.() !== undefined
    if (unsure || failed.length === 0 || failed.some(({ code }) => code !== DUPLICATE_KEY)) throw error
    return new Set(failed.map(({ index }) => index))
  }
}

/** What the driver says of a bulk in which something went wrong; of several errors it has all. */
interface BulkError {
  readonly writeErrors?: WriteError | readonly WriteError[]
  readonly result?: { getWriteConcernError?(): unknown }
}

interface WriteError {
  readonly code?: number
  readonly index: number
}

/** What only this write is refused with; what may be the fault of the server concerns the whole batch, and is thrown. */
export function aloneOrThrow(error: unknown): Error {
  const known = storeError(error)
  if (known instanceof Fault && known.code === 'store.unavailable') throw known
  return known
}
