import { setTimeout as pause } from 'node:timers/promises'
import { LiveConsumer } from './live-consumer.ts'
import type { Heard, LiveAnswer, LiveJob } from './live-load.ts'

/** The process of the live consumers: holds their connections, cuts them, and counts what they heard. */
const AT_ONCE = 50
const LOOK_MS = 20

let consumers: LiveConsumer[] = []
let churning: NodeJS.Timeout | null = null
let drops = 0
let failure: Error | null = null

async function perform(job: LiveJob): Promise<void> {
  switch (job.kind) {
    case 'open': {
      const added = job.consumers.map((options) => new LiveConsumer(options))
      for (let at = 0; at < added.length; at += AT_ONCE)
        await Promise.all(added.slice(at, at + AT_ONCE).map((consumer) => consumer.open()))
      for (const consumer of added) consumer.onFailed = (error) => (failure ??= error)
      consumers.push(...added)
      return
    }
    case 'churn':
      churn(job.share, job.everyMs, job.seed)
      return
    case 'settle': {
      if (churning) clearInterval(churning)
      const until = performance.now() + job.withinMs
      const waits = () => consumers.some(({ received, live }) => received < job.messages || !live)
      while (waits() && performance.now() < until && failure === null) await pause(LOOK_MS)
      return
    }
    case 'close':
      for (const consumer of consumers) consumer.close()
      consumers = []
  }
}

/** Only connections that stand are cut, so that a drop is one. */
function churn(share: number, everyMs: number, seed: number): void {
  let state = seed
  const random = () => {
    // Numerical Recipes' generator: good enough to choose, and the same in every run.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  churning = setInterval(() => {
    for (const consumer of consumers) {
      if (!consumer.live || random() >= share) continue
      consumer.drop()
      drops += 1
    }
  }, everyMs)
}

function heard(): Heard {
  const most = Math.max(0, ...consumers.map(({ received }) => received))
  const sum = (of: (consumer: LiveConsumer) => number) =>
    consumers.reduce((total, consumer) => total + of(consumer), 0)
  return {
    consumers: consumers.length,
    complete: consumers.filter(({ received }) => received === most).length,
    frames: sum(({ received }) => received),
    doubled: sum(({ faults }) => faults.doubled),
    missing: sum(({ faults }) => faults.missing),
    drops,
    refused: sum(({ refused }) => refused),
  }
}

process.on('message', (job: LiveJob) => {
  const answer = (message: LiveAnswer) => void process.send?.(message)
  perform(job).then(
    () => answer(failure === null ? { ok: true, heard: heard() } : { ok: false, message: failure.message }),
    (error: unknown) =>
      answer({ ok: false, message: error instanceof Error ? error.message : String(error) }),
  )
})
// The measuring process is gone: nobody waits for an answer any more.
process.on('disconnect', () => process.exit(0))
