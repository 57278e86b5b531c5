import { openStore } from '../../src/store/open.ts'
import { silentLog } from '../support/silent-log.ts'

// A process of its own: opens the store, says so, and keeps it until it is killed.
const [, , path = ''] = process.argv
await openStore({
  path,
  ballastBytes: 0,
  log: silentLog().log,
  limits: { operations: 1000, bytes: 1_000_000 },
})
process.stdout.write('open\n')
