import type { MongoContext } from '../context.ts'
import { reclaim, recover } from './recovery.ts'

/** A third of the time after which a node is taken for dead. */
const BEAT_MS = 2000

/** Says that this node lives, and finishes what others left behind, for as long as the store is open. */
export class Keeper {
  readonly #context: MongoContext
  #cancel = () => {}
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(context: MongoContext) {
    this.#context = context
  }

  async start(): Promise<void> {
    const { collections, clock, node } = this.#context
    const nothing = { batch: 0, commits: 0, accepted: 0, deadLettered: 0, highWaterAt: 0 }
    await collections.nodes.insertOne({ _id: node, ...nothing, beatAt: clock.now() })
    await recover(this.#context, true)
    this.#next()
  }

  /** What this node holds is due for others at once. */
  async stop(): Promise<void> {
    const { collections, node, log } = this.#context
    this.#stopped = true
    this.#cancel()
    await this.#running
    try {
      await reclaim(this.#context, node)
      await collections.nodes.updateOne({ _id: node }, { $set: { beatAt: null } })
    } catch (error) {
      log.warn(
        { err: error },
        'the other nodes wait for this one for some seconds, because it could not say goodbye',
      )
    }
  }

  #next(): void {
    const { clock } = this.#context
    this.#cancel = clock.at(clock.now() + BEAT_MS, () => {
      this.#running = this.#beat().finally(() => {
        if (!this.#stopped) this.#next()
      })
    })
  }

  async #beat(): Promise<void> {
    const { collections, clock, node, log } = this.#context
    try {
      await collections.nodes.updateOne(
        { _id: node },
        { $set: { beatAt: clock.now() } },
        { writeConcern: { w: 1 } },
      )
      await recover(this.#context, false)
    } catch (error) {
      log.warn({ err: error }, 'the database does not answer; what was left behind is looked for again')
    }
  }
}
