import type { Pace, Published } from './job.ts'
import type { Publisher } from './publisher.ts'
import type { Subscriber } from './subscriber.ts'

/** How long a run may take before it counts as stuck. */
const STUCK_MS = 60_000
/** How long subscribers may take to get what is still on its way. */
const DRAIN_MS = 5_000
const TICK_MS = 1

/** Publishes so many messages in all and resolves when each was acknowledged; rejects when one was not. */
export async function publishAll(
  publishers: readonly Publisher[],
  subscribers: readonly Subscriber[],
  messages: number,
  pace: Pace,
): Promise<Published> {
  const latencies = new Float64Array(messages)
  const receivedBefore = sum(subscribers)
  const startedAt = performance.now()
  const acknowledged = await new Promise<number>((resolve, reject) => {
    let count = 0
    const stuck = setTimeout(
      () => reject(new Error(`stuck: ${count} of ${messages} messages were acknowledged`)),
      STUCK_MS,
    )
    const refill = pace.kind === 'window' ? windows(publishers, messages, pace.inFlight) : () => {}
    if (pace.kind === 'rate') atRate(publishers, messages, pace.perSecond)
    for (const publisher of publishers) {
      publisher.onFailed = reject
      publisher.onAcknowledged = (latencyMs) => {
        latencies[count++] = latencyMs
        refill(publisher)
        if (count < messages) return
        clearTimeout(stuck)
        resolve(count)
      }
    }
  })
  const seconds = (performance.now() - startedAt) / 1000
  const wanted = subscribers.length > 0 ? messages : 0
  const drainedBy = performance.now() + DRAIN_MS
  while (sum(subscribers) - receivedBefore < wanted && performance.now() < drainedBy) await pause(5)
  latencies.sort()
  return {
    acknowledged,
    received: sum(subscribers) - receivedBefore,
    seconds,
    p50Ms: latencies[Math.floor(messages * 0.5)] ?? 0,
    p99Ms: latencies[Math.floor(messages * 0.99)] ?? 0,
  }
}

/** Fills every window now; the answer refills that of one publisher, with what one turn has acknowledged at once. */
function windows(publishers: readonly Publisher[], messages: number, inFlight: number) {
  const quota = Math.floor(messages / publishers.length)
  if (quota * publishers.length !== messages)
    throw new Error('the messages do not divide among the publishers')
  const states = new Map(publishers.map((publisher) => [publisher, { left: quota, free: 0 }]))
  const send = (publisher: Publisher, most: number) => {
    const state = states.get(publisher)
    if (!state) return
    const count = Math.min(state.left, most)
    state.left -= count
    if (count > 0) publisher.publish(count, performance.now())
  }
  for (const publisher of publishers) send(publisher, inFlight)
  return (publisher: Publisher) => {
    const state = states.get(publisher)
    if (!state) return
    state.free++
    if (state.free > 1) return
    queueMicrotask(() => {
      const { free } = state
      state.free = 0
      send(publisher, free)
    })
  }
}

/** Open loop: a message that is late counts from when it was due, so that a slow server cannot hide behind its load. */
function atRate(publishers: readonly Publisher[], messages: number, perSecond: number): void {
  const startedAt = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const due = Math.min(messages, Math.floor(((performance.now() - startedAt) * perSecond) / 1000))
    for (; sent < due; sent++)
      publishers[sent % publishers.length]?.publish(1, startedAt + (sent * 1000) / perSecond)
    if (sent === messages) clearInterval(timer)
  }, TICK_MS)
}

function sum(subscribers: readonly Subscriber[]): number {
  return subscribers.reduce((total, subscriber) => total + subscriber.received, 0)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
