import type { Command } from 'commander'
import { createLog } from '../log.ts'
import type { Finish } from './command-options.ts'
import { CliFailure, type Terminal } from './terminal.ts'

interface MigrateOptions {
  readonly to: string
  readonly url?: string
  readonly data?: string
}

/** Adds `migrate`. */
export function addMigrate(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('migrate')
    .description('Move the data folder of a stopped program into an empty database')
    .requiredOption('--to <store>', 'mongo')
    .option(
      '--url <url>',
      'of the database; CARILLON__STORAGE__URL unless set, which shows no password to others',
    )
    .option('--data <folder>', 'the data folder; CARILLON_DATA or ./data unless set')
    .action((options: MigrateOptions) => finish(moveData(options, terminal)))
}

/** Moves everything but the state of MQTT sessions, and says how much; may be repeated until it ends. */
async function moveData({ to, ...options }: MigrateOptions, terminal: Terminal): Promise<number> {
  if (to !== 'mongo') throw new CliFailure(2, `data is moved to mongo, not to ${to}`)
  const url = options.url ?? terminal.env['CARILLON__STORAGE__URL']
  if (!url) throw new CliFailure(2, 'to which database? Give --url or CARILLON__STORAGE__URL')
  const folder = options.data ?? (terminal.env['CARILLON_DATA'] || './data')
  // Whoever never moves does without the driver.
  const { migrateToMongo } = await import('../store/migrate/migrate-to-mongo.ts')
  try {
    await migrateToMongo({
      folder,
      url,
      now: terminal.clock.now(),
      log: createLog({ level: 'fatal', pretty: false }),
      onMoved: (collection, documents) => terminal.write(`${collection.padEnd(14)} ${documents}\n`),
    })
  } catch (error) {
    throw new CliFailure(1, error instanceof Error ? error.message : String(error))
  }
  terminal.write('Moved: start the nodes with storage.driver mongo. The folder is not opened any more.\n')
  return 0
}
