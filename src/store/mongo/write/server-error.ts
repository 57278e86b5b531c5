import mongoose from 'mongoose'
import { Fault } from '../../../errors.ts'
import { UnstorableError } from '../../unstorable-error.ts'

const { MongoBulkWriteError, MongoServerError, MongoNetworkError, MongoInvalidArgumentError } = mongoose.mongo
const DUPLICATE_KEY = 11_000

/** Another document has what must be unique. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY
}

/**
 * Which of the documents of an unordered insert were there already; anything else that went wrong is thrown.
 */
export async function insertMissing(insert: Promise<unknown>): Promise<ReadonlySet<number>> {
  try {
    await insert
    return new Set()
  } catch (error) {
    if (isDuplicateKey(error) && !(error instanceof MongoBulkWriteError)) return new Set([0])
    if (!(error instanceof MongoBulkWriteError)) throw error
    const failed = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
    if (failed.length === 0 || failed.some(({ code }) => code !== DUPLICATE_KEY)) throw error
    return new Set(failed.map(({ index }) => index))
  }
}

/** The server refuses this one write, whoever makes it and however often. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof MongoInvalidArgumentError) return true
  if (error instanceof RangeError || error instanceof TypeError) return true
  if (!(error instanceof MongoServerError) || error instanceof MongoNetworkError) return false
  // BadValue, FailedToParse, TypeMismatch, Overflow, key too large, document too large, too deep.
  return [2, 9, 14, 15, 17_280, 10_334, 17_419, 17_420].includes(Number(error.code))
}

/** What only this write is refused with; what may be the fault of the server concerns the whole batch, and is thrown. */
export function aloneOrThrow(error: unknown): Error {
  if (error instanceof UnstorableError || error instanceof Fault) return error
  if (isRefusal(error)) return new UnstorableError(error.message)
  throw error
}
