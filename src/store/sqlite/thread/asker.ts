import { ERRORS, fault, type ErrorCode, type Fault } from '../../../errors.ts'
import type { Answer, Question, ReadName, Reads } from './reads.ts'
import type { Thread } from './thread.ts'

interface Call extends Question {
  resolve(rows: unknown): void
  reject(error: Error): void
}

/** Questions to the reader thread: those of one moment cross together, and each gets its own answer. */
export class Asker {
  readonly #thread: Thread<readonly Question[], readonly Answer[], unknown>
  #waiting: Call[] = []
  #busy = false
  #closed: Fault | null = null
  #idle: (() => void)[] = []

  constructor(thread: Thread<readonly Question[], readonly Answer[], unknown>) {
    this.#thread = thread
  }

  ask<Name extends ReadName>(
    name: Name,
    input: Parameters<Reads[Name]>[0],
  ): Promise<ReturnType<Reads[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed)
      this.#waiting.push({ name, input, resolve: resolve as (rows: unknown) => void, reject })
      if (this.#busy) return
      this.#busy = true
      queueMicrotask(() => void this.#run())
    })
  }

  /** Refuses what comes from now on; resolves when what was asked has been answered. */
  async finish(): Promise<void> {
    this.#closed = fault('store.unavailable', 'The store is closed')
    if (this.#busy) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const calls = this.#waiting
      this.#waiting = []
      try {
        const answers = await this.#thread.ask(calls.map(({ name, input }) => ({ name, input })))
        for (const [index, call] of calls.entries()) settle(call, answers[index])
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        for (const call of calls) call.reject(fault('store.unavailable', message))
      }
    }
    this.#busy = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

function settle(call: Call, answer: Answer | undefined): void {
  if (answer && 'rows' in answer) return call.resolve(answer.rows)
  const code = answer?.code
  call.reject(fault(code && code in ERRORS ? (code as ErrorCode) : 'store.unavailable', answer?.failed))
}
