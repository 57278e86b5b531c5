import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { consumers } from './consumers.ts'
import { deliveries } from './deliveries.ts'
import { inbox } from './inbox.ts'
import { ingest } from './ingest.ts'
import { routing } from './routing.ts'

const RESULTS = fileURLToPath(new URL('../../bench/results/', import.meta.url))

/** `npm run bench`: every workload, or those that are named; `--profile` leaves CPU profiles of ours with the results. */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { profile: { type: 'boolean', default: false } },
})
const nodeArguments = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${RESULTS}`] : []

const WORKLOADS: Readonly<Record<string, () => Promise<unknown>>> = {
  W1: () => ingest({ nodeArguments }),
  W5: () => routing(),
  W7: () => inbox(),
  W9: () => deliveries({ nodeArguments }),
  W10: () => consumers({ each: 2000, messages: 20, publishesPerSecond: 200 }),
}

const names = positionals.length > 0 ? positionals : Object.keys(WORKLOADS)
mkdirSync(RESULTS, { recursive: true })
for (const name of names) {
  const workload = WORKLOADS[name]
  if (!workload) {
    process.stderr.write(`There is no workload ${name}; there are ${Object.keys(WORKLOADS).join(', ')}.\n`)
    process.exitCode = 2
    break
  }
  const result = await workload()
  writeFileSync(`${RESULTS}${name}.json`, `${JSON.stringify(result, null, 2)}\n`)
  console.log('')
}
