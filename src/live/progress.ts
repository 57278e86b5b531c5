import type { Clock } from '../clock.ts'
import type { Subject } from '../delivery/channel.ts'
import type { Log } from '../log.ts'
import type { DeliveryProgress, Store } from '../store/store.ts'
import { backOffMs } from './back-off.ts'

/** What a live frame was about. */
export type LiveSubject = Exclude<Subject, { readonly kind: 'direct' }>

/** Told of each step a `realtime` delivery took, after the step is stored: the source of receipts. */
export interface ProgressListener {
  /** Whether anybody would hear of this subject; asked first, so that nothing is done for nobody. */
  wanted(subject: LiveSubject): boolean
  /** Called once for each step that really moved a delivery: reconnecting does not repeat it. */
  moved(
    subject: LiveSubject,
    userId: string,
    step: { readonly state: 'sent' | 'delivered'; at: number },
  ): void
}

export interface Progress {
  sent(subject: LiveSubject, userId: string): void
  delivered(subject: LiveSubject, userId: string): void
  close(): void
}

/** What may wait for the store; beyond it the oldest is dropped, and told again when the person reconnects. */
const WAITING = 10_000
/** Notifications whose last step is remembered, so that a second device costs no second write. */
const REMEMBERED = 10_000

interface Step {
  /** Under which it is remembered; empty when it is not. */
  readonly key: string
  readonly subject: LiveSubject
  readonly progress: DeliveryProgress
}

/**
 * Writes how far `realtime` deliveries came: one call of the store at a time with everything that gathered
 * meanwhile, so that busy moments make few large commits.
 */
export function createProgress(options: {
  readonly store: Pick<Store, 'progress'>
  readonly clock: Clock
  readonly log: Log
  readonly listener?: ProgressListener | undefined
}): Progress {
  const { store, clock, log, listener } = options
  const remembered = new Map<string, 'sent' | 'delivered'>()
  let waiting: Step[] = []
  let busy = false
  let failures = 0
  let closed = false
  let cancelRetry = () => {}

  const add = (subject: LiveSubject, userId: string, state: 'sent' | 'delivered') => {
    if (closed) return
    const subjectId = subject.kind === 'notification' ? subject.notification.id : subject.alert.id
    // A notification has one realtime delivery per person; an alert has one per page, all under its own id.
    const key = subject.kind === 'notification' ? `${userId} ${subjectId}` : ''
    if (key !== '' && !remember(key, state)) return
    waiting.push({ key, subject, progress: { subjectId, userId, state, at: clock.now() } })
    shed()
    if (busy) return
    busy = true
    setImmediate(() => void flush())
  }

  const remember = (key: string, state: 'sent' | 'delivered'): boolean => {
    const known = remembered.get(key)
    if (known === state || known === 'delivered') return false
    remembered.delete(key)
    remembered.set(key, state)
    if (remembered.size > REMEMBERED) {
      const [oldest] = remembered.keys()
      if (oldest !== undefined) remembered.delete(oldest)
    }
    return true
  }

  const shed = () => {
    const excess = waiting.length - WAITING
    if (excess > 0) for (const step of waiting.splice(0, excess)) remembered.delete(step.key)
  }

  const flush = async () => {
    while (waiting.length > 0 && !closed) {
      const steps = waiting
      waiting = []
      try {
        await write(steps)
        failures = 0
      } catch (error) {
        failures += 1
        log.warn({ err: error, steps: steps.length }, 'the progress of live deliveries could not be stored')
        waiting = [...steps, ...waiting]
        shed()
        const again = () => void flush()
        cancelRetry = clock.at(clock.now() + backOffMs(failures), again)
        return
      }
    }
    busy = false
  }

  const write = async (steps: readonly Step[]) => {
    const unheard: DeliveryProgress[] = []
    const heard: Step[] = []
    for (const step of steps) {
      if (listener?.wanted(step.subject)) heard.push(step)
      else unheard.push(step.progress)
    }
    // The store answers with a count, so a step whose outcome matters to somebody goes alone; the calls keep their
    // order, and the store still puts them into one commit.
    const writes = heard.map(async (step) => {
      if ((await store.progress([step.progress])) > 0)
        listener?.moved(step.subject, step.progress.userId, step.progress)
    })
    if (unheard.length > 0) writes.push(store.progress(condensed(unheard)).then(() => {}))
    const failed = (await Promise.allSettled(writes)).find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  return {
    sent: (subject, userId) => add(subject, userId, 'sent'),
    delivered: (subject, userId) => add(subject, userId, 'delivered'),
    close() {
      closed = true
      cancelRetry()
    },
  }
}

/** A hand-over and its proof in one batch are one step: `delivered` says that it was sent, too. */
function condensed(steps: readonly DeliveryProgress[]): readonly DeliveryProgress[] {
  const kept: DeliveryProgress[] = []
  const sentAt = new Map<string, number>()
  for (const step of steps) {
    const key = `${step.userId} ${step.subjectId}`
    const index = sentAt.get(key)
    if (step.state === 'sent') sentAt.set(key, kept.length)
    else if (index !== undefined) {
      kept[index] = step
      sentAt.delete(key)
      continue
    }
    kept.push(step)
  }
  return kept
}
