import type { Clock } from '../../../clock.ts'
import { fault, type Fault } from '../../../errors.ts'

/** How often a full disk is asked whether there is room again. */
const ASK_AGAIN_MS = 5000

export type Restocked = 'whole' | 'growing' | 'none'

export interface RoomOptions {
  readonly clock: Clock
  /** Lets the writer put the next portion of the ballast back. */
  readonly restock: () => Promise<Restocked>
  readonly onChange: (full: boolean) => void
}

/**
 * Whether the disk has room for ordinary publishes, as the writer's last answer said (promise P25). While it has none,
 * the ballast is tried every few seconds; the writer's answer to that ends the shortage.
 */
export class Room {
  readonly #options: RoomOptions
  #shortage: Fault | null = null
  #cancel = () => {}
  #stopped = false

  constructor(options: RoomOptions) {
    this.#options = options
  }

  /** What ordinary publishes are refused with; null while there is room. */
  get shortage(): Fault | null {
    return this.#shortage
  }

  heard(full: boolean): void {
    if (full === (this.#shortage !== null)) return
    const message = 'The disk is full: until there is room again, only what acts on alerts is stored'
    this.#shortage = full ? fault('store.unavailable', message, undefined, ASK_AGAIN_MS) : null
    this.#options.onChange(full)
    if (full) this.#later()
    else this.#cancel()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #later(): void {
    if (this.#stopped) return
    const { clock } = this.#options
    this.#cancel = clock.at(clock.now() + ASK_AGAIN_MS, () => void this.#ask())
  }

  async #ask(): Promise<void> {
    try {
      while ((await this.#options.restock()) === 'growing');
    } catch {
      // The store is closed or failed; if it did not, the next try tells.
    }
    if (this.#shortage !== null) this.#later()
  }
}
