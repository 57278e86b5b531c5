import { openStore } from '../../src/store/open.ts'
import { silentLog } from '../support/silent-log.ts'
import * as sample from '../support/store/samples.ts'

// A process of its own: publishes in rounds of five and prints each id once it was accepted, then closes.
const [, , path = ''] = process.argv
const store = await openStore({
  path,
  ballastBytes: 0,
  log: silentLog().log,
  limits: { operations: 1000, bytes: 1_000_000 },
})
for (let round = 0; round < 8; round++) {
  const ids = [0, 1, 2, 3, 4].map((part) => `n-${round}-${part}`)
  await Promise.all(
    ids.map(async (id) => {
      const once = { key: `id:${id}`, check: true, expiresAt: sample.NOON + 1000 }
      const deliveries = [sample.toSend(sample.delivery(id, 1))]
      await store.accept(sample.acceptance({ once, notifications: [sample.notification(id)], deliveries }))
      process.stdout.write(`${id}\n`)
    }),
  )
}
await store.close()
