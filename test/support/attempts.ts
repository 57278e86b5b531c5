import { noAlarm } from '../../src/alert/operator-alarm.ts'
import type { Channel, OutgoingMessage } from '../../src/delivery/channel.ts'
import { createDeliver } from '../../src/delivery/attempt/deliver.ts'
import type { Delivery } from '../../src/delivery/delivery.ts'
import type { PlannedDelivery } from '../../src/delivery/plan.ts'
import { createWorker } from '../../src/delivery/worker/worker.ts'
import { createMetrics } from '../../src/metrics.ts'
import { fakeClock, turn } from './fake-clock.ts'
import { memoryWork } from './memory-work.ts'
import { alert, NOON, person, planned } from './messages.ts'
import { silentLog } from './silent-log.ts'

/** One channel with the real worker, breaker and attempts, on a clock that stands still while an answer is awaited. */
export interface Attempts {
  /** When each attempt began, in milliseconds from the beginning, and the key that it carried. */
  readonly made: readonly { readonly at: number; readonly key: string }[]
  send(plan?: Partial<PlannedDelivery>): string
  delivery(id: string): Delivery
  /** Time passes, until `enough` at the latest; what is on the way gets its answer first. */
  pass(ms: number, enough?: () => boolean): Promise<void>
  close(): Promise<void>
}

/** `stuck` says of an attempt under way that nobody will answer it. */
export function attemptsOver(
  channel: Channel,
  {
    random = () => 0.5,
    stuck = () => false,
  }: { readonly random?: () => number; readonly stuck?: (made: number) => boolean } = {},
): Attempts {
  const clock = fakeClock(NOON)
  const store = memoryWork()
  const metrics = createMetrics()
  const { log } = silentLog()
  const made: { at: number; key: string }[] = []
  const watched: Channel = {
    ...channel,
    send(message: OutgoingMessage, signal) {
      made.push({ at: clock.now() - NOON, key: message.idempotencyKey })
      return channel.send(message, signal)
    },
  }
  const anna = person({ telegramChatId: 4711 })
  const perform = createDeliver({
    channels: new Map([[channel.name, { channel: watched, mode: 'live' }]]),
    directory: { user: () => anna },
    clock,
    random,
    log,
    metrics,
    store,
    publicUrl: () => 'http://localhost:8080',
    fence: () => false,
    withheld: () => null,
  })
  const worker = createWorker({
    store,
    lanes: [{ name: channel.name }],
    perform: { [channel.name]: perform },
    clock,
    random,
    log,
    metrics,
    alarm: noAlarm,
  })
  worker.start()
  const calm = async () => {
    let settled = false
    void worker.settled().then(() => (settled = true))
    while (!settled && !stuck(made.length)) await turn()
  }
  return {
    made,
    send(plan = {}) {
      const row = planned({ channel: channel.name, ...plan, now: clock.now() })
      store.add(row, row.delivery.subjectKind === 'alert' ? { alert: alert() } : {})
      worker.wake(channel.name, clock.now())
      return row.delivery.id
    },
    delivery: (id) => store.delivery(id),
    async pass(ms, enough = () => false) {
      const end = clock.now() + ms
      for (;;) {
        await turn()
        await calm()
        const next = clock.waiting[0]
        if (enough()) return
        if (next === undefined || next > end) break
        await clock.pass(Math.max(0, next - clock.now()))
      }
      await clock.pass(end - clock.now())
    },
    async close() {
      const stopping = worker.stop(20_000)
      await clock.pass(20_000)
      await stopping
      await channel.close()
    },
  }
}
