import type { Collections } from '../../../src/store/mongo/collections.ts'

const WRITES: readonly string[] = [
  ...['insertOne', 'insertMany', 'updateOne', 'updateMany', 'bulkWrite'],
  ...['replaceOne', 'findOneAndUpdate', 'deleteOne', 'deleteMany'],
]

export interface Crash {
  /** Which write is the last one, counted from 1 since `arm`. */
  readonly at: number
  /** Whether that one reaches the server, and only its answer is lost. */
  readonly reaches: boolean
}

export interface FailingCollections {
  wrap(collections: Collections): Collections
  /** From now on writes count. */
  arm(crash: Crash): void
  /** Whether it has come so far. */
  readonly crashed: boolean
}

/** Collections of a process that dies at one of its writes: neither that nor any later call comes back. */
export function failingCollections(): FailingCollections {
  let armed: Crash | null = null
  let count = 0
  let crashed = false
  const dead = () => Object.assign(new Error('the process is dead'), { name: 'MongoNetworkError' })
  const wrapped = <T extends object>(collection: T): T =>
    new Proxy(collection, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        const call = value.bind(target) as (...given: unknown[]) => unknown
        if (!WRITES.includes(String(name))) return call
        return async (...given: unknown[]) => {
          if (crashed) throw dead()
          if (!armed || ++count < armed.at) return call(...given)
          crashed = true
          if (armed.reaches) await call(...given)
          throw dead()
        }
      },
    })
  return {
    wrap(collections) {
      // Of every name, as it was.
      return Object.fromEntries(
        Object.entries(collections).map(([name, collection]) => [name, wrapped(collection as object)]),
      ) as unknown as Collections
    },
    arm(crash) {
      armed = crash
      count = 0
    },
    get crashed() {
      return crashed
    },
  }
}
