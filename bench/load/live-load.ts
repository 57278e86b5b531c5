import { fork } from 'node:child_process'
import type { LiveConsumerOptions } from './live-consumer.ts'

/** What the process of the live consumers is told, one job at a time. */
export type LiveJob =
  | { readonly kind: 'open'; readonly consumers: readonly LiveConsumerOptions[] }
  /** Cuts this share of all connections, chosen at random, again and again until `settle`. */
  | { readonly kind: 'churn'; readonly share: number; readonly everyMs: number; readonly seed: number }
  /** Resolves when each consumer has heard so many, or the time is up. */
  | { readonly kind: 'settle'; readonly messages: number; readonly withinMs: number }
  | { readonly kind: 'close' }

export interface Heard {
  readonly consumers: number
  /** Of these so many heard everything. */
  readonly complete: number
  readonly frames: number
  readonly doubled: number
  readonly missing: number
  /** Connections that were cut. */
  readonly drops: number
  /** Tries that found no room and were made again. */
  readonly refused: number
}

export type LiveAnswer =
  | { readonly ok: true; readonly heard: Heard }
  | { readonly ok: false; readonly message: string }

/** The process of the live consumers, seen from the measuring one. */
export interface LiveLoad {
  /** Answers with how things are once the job is done; rejects when a consumer was refused or ended by the server. */
  ask(job: LiveJob): Promise<Heard>
  end(): void
}

export function startLiveLoad(): LiveLoad {
  const child = fork(new URL('./live-main.js', import.meta.url))
  return {
    ask: (job) =>
      new Promise((resolve, reject) => {
        const ended = () => reject(new Error('the process of the live consumers ended'))
        child.once('exit', ended)
        child.once('message', (answer: LiveAnswer) => {
          child.off('exit', ended)
          if (answer.ok) resolve(answer.heard)
          else reject(new Error(answer.message))
        })
        child.send(job)
      }),
    end: () => child.disconnect(),
  }
}
