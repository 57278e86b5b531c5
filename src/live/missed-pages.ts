/** So many ids are remembered; beyond it everything that is open is told again: a page twice is better than never. */
const REMEMBERED = 1000

/**
 * Which alerts one connection has yet to be paged for: at first every open one, later those it had no room for.
 * Holds ids, never alerts, because what an alert says may have changed by the time there is room.
 */
export class MissedPages {
  /** Everything that is open but what `#told` names. */
  #all = true
  /** More was missed than is remembered, since the last look-up began. */
  #overflowed = false
  readonly #told = new Set<string>()
  #missed = new Set<string>()
  /** What was missed before the look-up that is under way. */
  #asked = new Set<string>()

  /** Whether a look-up is needed. */
  get pending(): boolean {
    return this.#all || this.#overflowed || this.#missed.size > 0
  }

  /** The connection was paged. */
  told(alertId: string): void {
    this.#missed.delete(alertId)
    this.#asked.delete(alertId)
    if (this.#all) this.#told.add(alertId)
  }

  /** The connection had no room for this page, or did not want it just now. */
  missed(alertId: string): void {
    this.#told.delete(alertId)
    this.#missed.add(alertId)
    if (this.#missed.size > REMEMBERED) {
      this.#overflowed = true
      this.#missed.clear()
    }
  }

  /** A look-up of the open alerts begins. Ends with `abandon`, after `finish` when all was told. */
  begin(): void {
    this.#asked = this.#missed
    this.#missed = new Set()
    if (this.#overflowed) this.#all = true
    this.#overflowed = false
  }

  /** Whether an alert that the look-up found is still to be told. */
  wants(alertId: string): boolean {
    return this.#all ? !this.#told.has(alertId) : this.#asked.has(alertId)
  }

  /** Everything the look-up found was told: what it did not find is over. */
  finish(): void {
    this.#all = false
    this.#told.clear()
    this.#asked.clear()
  }

  /** Ends a look-up: unless it was finished before, because it failed or the room ran out, the rest stays to be told. */
  abandon(): void {
    for (const id of this.#asked) this.#missed.add(id)
    this.#asked.clear()
  }
}
