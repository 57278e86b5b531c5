import { fork } from 'node:child_process'
import type { Answer, Job, Pace, Published } from './job.ts'

/** The load process, seen from the measuring one. */
export interface Load {
  open(job: Omit<Extract<Job, { kind: 'open' }>, 'kind'>): Promise<void>
  publish(target: string, messages: number, pace: Pace): Promise<Published>
  close(target: string): Promise<void>
  end(): void
}

export function startLoad(): Load {
  const child = fork(new URL('./main.js', import.meta.url))
  const ask = (job: Job) =>
    new Promise<Published | null>((resolve, reject) => {
      const ended = () => reject(new Error('the load process ended'))
      child.once('exit', ended)
      child.once('message', (answer: Answer) => {
        child.off('exit', ended)
        if (answer.ok) resolve(answer.published)
        else reject(new Error(answer.message))
      })
      child.send(job)
    })
  return {
    open: async (job) => void (await ask({ kind: 'open', ...job })),
    async publish(target, messages, pace) {
      const published = await ask({ kind: 'publish', target, messages, pace })
      if (!published) throw new Error('the load process answered another job')
      return published
    },
    close: async (target) => void (await ask({ kind: 'close', target })),
    end: () => child.disconnect(),
  }
}
