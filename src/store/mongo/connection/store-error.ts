import { Fault, fault } from '../../../errors.ts'
import { UnstorableError } from '../../unstorable-error.ts'

/** Codes of servers that are there and cannot write just now, by their names in MongoDB's list of error codes. */
const UNABLE: ReadonlyMap<number, string> = new Map([
  [6, 'HostUnreachable'],
  [7, 'HostNotFound'],
  [13, 'Unauthorized'],
  [18, 'AuthenticationFailed'],
  [50, 'MaxTimeMSExpired'],
  [64, 'WriteConcernFailed'],
  [89, 'NetworkTimeout'],
  [91, 'ShutdownInProgress'],
  [100, 'UnsatisfiableWriteConcern'],
  [112, 'WriteConflict'],
  [134, 'ReadConcernMajorityNotAvailableYet'],
  [189, 'PrimarySteppedDown'],
  [206, 'NoSuchSession'],
  [262, 'ExceededTimeLimit'],
  [9001, 'SocketException'],
  [10_058, 'LegacyNotPrimary'],
  [10_107, 'NotWritablePrimary'],
  [11_600, 'InterruptedAtShutdown'],
  [11_602, 'InterruptedDueToReplStateChange'],
  [13_435, 'NotPrimaryNoSecondaryOk'],
  [13_436, 'NotPrimaryOrSecondary'],
  [14_031, 'OutOfDiskSpace'],
])

/** Names of what the driver throws when no server answered. */
const UNREACHED =
  /^Mongo(Network|NetworkTimeout|ServerSelection|NotConnected|Topology|TopologyClosed|ServerClosed|PoolClosed|PoolCleared|WaitQueueTimeout|ConnectionPool|WriteConcern|OperationTimeout|ExpiredSession|ClientClosed)/

const DUPLICATE_KEY = 11_000

interface DriverError extends Error {
  readonly code?: unknown
  readonly writeErrors?: unknown
  readonly writeConcernErrors?: unknown
  readonly errorLabels?: readonly string[]
}

/** Whether it is the server, and not what was asked of it, that kept something from being written (promise P2). */
function isUnavailable(error: DriverError): boolean {
  if (UNREACHED.test(error.name)) return true
  // The driver lets some errors of sockets through as they are.
  if (typeof error.code === 'string' && /^(E(?!RR_)|ERR_(STREAM|SOCKET)_)/.test(error.code)) return true
  if (typeof error.code === 'number' && UNABLE.has(error.code)) return true
  return error.errorLabels?.some((label) => label === 'RetryableWriteError' || label === 'ResetPool') ?? false
}

/** Whether a unique index refused the write: somebody else has written it before. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Error && (error as DriverError).code === DUPLICATE_KEY
}

/**
 * What a caller of the store hears of an error of the driver: `store.unavailable` when the server could not be reached
 * or could not write, else an {@link UnstorableError} for this call alone. What it holds of addresses is no secret: the
 * driver names hosts, never credentials.
 */
export function storeError(error: unknown): Error {
  if (error instanceof Fault || error instanceof UnstorableError) return error
  if (!(error instanceof Error)) return new UnstorableError(String(error))
  if (isUnavailable(error)) return fault('store.unavailable', `MongoDB: ${error.message}`)
  return new UnstorableError(error.message)
}

/** For writes under deterministic ids, unordered: what is there already was written before, everything else counts. */
export async function ignoringDuplicates(write: () => Promise<unknown>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { writeErrors } = error as DriverError
    // A bulk that met several errors has them all; the driver gives one as itself.
    const failures = writeErrors === undefined ? [error] : [writeErrors].flat()
    const [other] = failures.filter((failure) => !isDuplicateFailure(failure))
    if (other !== undefined) throw error
    if (hasWriteConcernError(error)) throw error
  }
}

function isDuplicateFailure(failure: unknown): boolean {
  return (
    typeof failure === 'object' && failure !== null && 'code' in failure && failure.code === DUPLICATE_KEY
  )
}

/** The duplicates came first, but what was written may be lost with a server. */
function hasWriteConcernError(error: DriverError): boolean {
  const { result } = error as { readonly result?: { getWriteConcernError?(): unknown } }
  return result?.getWriteConcernError?.() !== undefined
}
