/** Lets a bounded number of tasks run at once; the others wait in the order they came. */
export class Gate {
  readonly #limit: number
  readonly #line: (() => void)[] = []
  #running = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Runs `task` as soon as there is room. Settles as the task does; a task that throws frees its place. */
  async run<Result>(task: () => Result | Promise<Result>): Promise<Result> {
    if (this.#running < this.#limit) this.#running += 1
    else await new Promise<void>((resolve) => this.#line.push(resolve))
    try {
      return await task()
    } finally {
      // The place is handed on, never put back for the quickest: whoever came first goes first.
      const next = this.#line.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}
