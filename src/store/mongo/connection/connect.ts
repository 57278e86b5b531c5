import mongoose, { type Connection, type mongo } from 'mongoose'
import { systemClock } from '../../../clock.ts'
import type { Log } from '../../../log.ts'
import { serverClock, type ServerClock } from './server-clock.ts'
import { bootStore, type Boot } from './boot.ts'

/** How long a call waits for a server that may be written to: an election takes less. */
const FIND_SERVER_MS = 5000
const HEARTBEAT_MS = 2000

export interface ConnectOptions {
  /** With credentials; its path names the database. */
  readonly url: string
  readonly log: Log
  /** Told when the clock of the server was moved by more than a second (promise P18). */
  readonly onJump: (jumpMs: number) => void
  /** Also to a database that a move has filled only in part: for that move. */
  readonly unfinished?: boolean
}

/** A way to the server that heals by itself: calls fail while it is away, and work again when it is back. */
export interface MongoConnection extends Boot {
  readonly db: mongo.Db
  readonly clock: ServerClock
  /** Ends every connection; calls that are under way fail. */
  close(): Promise<void>
}

/**
 * Connects, checks the schema of what is there, and counts the start. Rejects with what to do when there is no server, it
 * refuses the credentials, or a newer build has written the data; nothing was changed then.
 */
export async function connectMongo(options: ConnectOptions): Promise<MongoConnection> {
  const { url, log, onJump } = options
  const connection = mongoose.createConnection(url, {
    ...(!namesDatabase(url) && { dbName: 'carillon' }),
    // Commands fail while the server is away instead of gathering without bound.
    bufferCommands: false,
    appName: 'carillon',
    retryWrites: true,
    readPreference: 'primary',
    writeConcern: { w: 'majority', journal: true },
    serverSelectionTimeoutMS: FIND_SERVER_MS,
    connectTimeoutMS: FIND_SERVER_MS,
    heartbeatFrequencyMS: HEARTBEAT_MS,
    ignoreUndefined: true,
    // No text of a user becomes an operator, wherever a filter is cast (security row 28).
    sanitizeFilter: true,
  })
  // Without a listener an error would end the process.
  connection.on('error', (error) => log.error({ err: error }, 'MongoDB: the connection failed'))
  try {
    await connection.asPromise()
    const db = databaseOf(connection)
    sayOpen(connection, log)
    const boot = await bootStore(db, options.unfinished)
    const clock = await serverClock({
      base: systemClock(),
      ask: () => serverTime(db),
      notBefore: boot.highWaterAt,
      onJump,
    })
    connection.on('disconnected', () => log.error('MongoDB is away: nothing can be stored until it is back'))
    connection.on('reconnected', () => log.warn('MongoDB is back'))
    const close = async () => {
      clock.stop()
      connection.removeAllListeners('disconnected')
      await connection.close(true)
    }
    return { ...boot, db, clock, close }
  } catch (error) {
    await connection.close(true).catch(() => {})
    throw explained(error)
  }
}

const namesDatabase = (url: string) => /^[a-z+]+:\/\/[^/?]+\/[^?]/.test(url)

function databaseOf({ db }: Connection): mongo.Db {
  if (!db) throw new Error('the connection to MongoDB has no database')
  return db
}

function explained(error: unknown): Error {
  if (!(error instanceof Error) || !error.name.startsWith('Mongo')) return error as Error
  return new Error(`MongoDB (storage.url) cannot be used: ${error.message}`, { cause: error })
}

/** What passes between machines can be read on the way (security row 37). */
function sayOpen(connection: Connection, log: Log): void {
  const { hosts, tls } = connection.getClient().options
  const away = hosts.filter(({ host }) => host !== undefined && !/^(127\.|localhost$|::1$)/.test(host))
  if (tls || away.length === 0) return
  log.warn(
    { hosts: away.map(String) },
    'the connection to MongoDB is not encrypted: add tls=true to storage.url unless the network is yours alone',
  )
}

/** `hello.localTime`; servers before 4.4 know the question by its old name only. */
async function serverTime(db: mongo.Db): Promise<number> {
  const admin = db.admin()
  const { localTime } = (await admin.command({ hello: 1 }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === COMMAND_NOT_FOUND)
      return admin.command({ isMaster: 1 })
    throw error
  })) as { readonly localTime: Date }
  return localTime.getTime()
}

const COMMAND_NOT_FOUND = 59
