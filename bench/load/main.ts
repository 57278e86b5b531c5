import type { Answer, Job, Published } from './job.ts'
import { Publisher } from './publisher.ts'
import { publishAll } from './run.ts'
import { Subscriber } from './subscriber.ts'

/** The load process: holds the connections of every target and does one job at a time. */
const targets = new Map<
  string,
  { readonly publishers: readonly Publisher[]; readonly subscribers: readonly Subscriber[] }
>()

async function perform(job: Job): Promise<Published | null> {
  if (job.kind === 'open') {
    const publishers = job.publishers.map((options) => new Publisher(options))
    const subscribers = job.subscribers.map((options) => new Subscriber(options))
    targets.set(job.target, { publishers, subscribers })
    await Promise.all([
      ...publishers.map((publisher) => publisher.connected()),
      ...subscribers.map((subscriber) => subscriber.ready()),
    ])
    return null
  }
  const target = targets.get(job.target)
  if (!target) throw new Error(`${job.target} was not opened`)
  if (job.kind === 'publish') return publishAll(target.publishers, target.subscribers, job.messages, job.pace)
  for (const connection of [...target.publishers, ...target.subscribers]) connection.close()
  targets.delete(job.target)
  return null
}

function answer(message: Answer): void {
  process.send?.(message)
}

process.on('message', (job: Job) => {
  perform(job).then(
    (published) => answer({ ok: true, published }),
    (error: unknown) =>
      answer({ ok: false, message: error instanceof Error ? error.message : String(error) }),
  )
})
// The measuring process is gone: nobody waits for an answer any more.
process.on('disconnect', () => process.exit(0))
