import { Command, CommanderError } from 'commander'
import { ALERT_VERBS, actOnAlerts, listAlerts, showAlert } from './alerts.ts'
import { verifyAudit, type VerifyAuditOptions } from './audit.ts'
import { configured, connected, type Finish } from './command-options.ts'
import { checkConfiguration, printConfiguration, printSchema } from './config.ts'
import { addDeadLetters } from './dead-letters.ts'
import { addDeliveries } from './deliveries.ts'
import { addMaintenance } from './maintenance.ts'
import { addOnCall } from './oncall.ts'
import { addMigrate } from './migrate.ts'
import { listOutbox, replyToOutbox, showOutbox } from './outbox.ts'
import { showPreflight } from './preflight.ts'
import { publish } from './publish.ts'
import { explainPublish, simulateType, type ExplainOptions, type SimulateOptions } from './rehearsals.ts'
import { addSilences } from './silences.ts'
import { CliFailure } from './terminal.ts'
import { testSend, type TestSendOptions } from './test-send.ts'
import type { Flags } from '../config/reading/overrides.ts'
import type { AlertListOptions, AlertVerb, AlertVerbOptions, VerbOptions } from './alerts.ts'
import type { ConfigVerbOptions } from './config.ts'
import type { OutboxListOptions, ReplyOptions } from './outbox.ts'
import type { PublishOptions } from './publish.ts'
import type { Terminal } from './terminal.ts'

export interface CliParts {
  /** Runs the server until it is told to stop; resolves with the exit code. */
  start(flags: Flags): Promise<number>
  readonly version: string
}

/**
 * Runs one command line, without the program's own name. Resolves with the exit code: 0 ok, 1 failed, 2 usage or
 * configuration (contract section 1). Expected failures are one sentence on standard error; only bugs reject.
 */
export async function runCli(argv: readonly string[], terminal: Terminal, parts: CliParts): Promise<number> {
  let exitCode = 0
  const finish = async (result: number | Promise<number>) => {
    exitCode = await result
  }
  const program = new Command('carillon')
    .description('Turns MQTT publishes into notifications that reach the right person')
    .version(parts.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.complain(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  addStart(program, parts, finish)
  addPublish(program, terminal, finish)
  addAlerts(program, terminal, finish)
  addOutbox(program, terminal, finish)
  addDeliveries(program, terminal, finish)
  addDeadLetters(program, terminal, finish)
  addOnCall(program, terminal, finish)
  addSilences(program, terminal, finish)
  addMaintenance(program, terminal, finish)
  addMigrate(program, terminal, finish)
  addConfig(program, terminal, finish)
  addQuestions(program, terminal, finish)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) {
      return ['commander.helpDisplayed', 'commander.version'].includes(error.code) ? 0 : 2
    }
    if (!(error instanceof CliFailure)) throw error
    terminal.complain(`${error.message}\n`)
    return error.exitCode
  }
}

function addStart(program: Command, parts: CliParts, finish: Finish): void {
  configured(program.command('start').description('Run the server'))
    .option('--host <address>', 'address to listen on')
    .option('--http-port <port>', 'port of pages and HTTP; 0 takes any free one')
    .option('--mqtt-port <port>', 'port of MQTT; 0 takes any free one')
    .option('--demo', 'run the demo even if there is a configuration')
    .action((flags: Flags) => finish(parts.start(flags)))
}

function addPublish(program: Command, terminal: Terminal, finish: Finish): void {
  connected(program.command('publish <topic> [json]').description('Publish a message'))
    .option('-m, --message <text>', 'the message, instead of or into the JSON')
    .option('--id <id>', 'makes sending it again harmless')
    .option('--wait', 'show what happens until somebody answers')
    .action((topic: string, json: string | undefined, options: PublishOptions) =>
      finish(publish(topic, json, options, terminal)),
    )
}

function addAlerts(program: Command, terminal: Terminal, finish: Finish): void {
  const alerts = program.command('alerts').alias('alert').description('Show alerts and act on them')
  connected(alerts.command('ls').description('List alerts'))
    .option('--status <status>', 'firing, acknowledged, snoozed, suppressed or resolved')
    .option('--severity <level>', 'critical, warning or info')
    .option('--team <team>', 'owned by this team')
    .option('--limit <count>', 'at most so many')
    .action((options: AlertListOptions) => finish(listAlerts(options, terminal)))
  connected(alerts.command('show <id>').description('Show one alert and what happened to it')).action(
    (id: string, options: VerbOptions) => finish(showAlert(id, options, terminal)),
  )
  for (const [verb, description] of Object.entries(ALERT_VERBS)) {
    const command = connected(alerts.command(`${verb} <ids...>`).description(description)).option(
      '-m, --message <text>',
      'a note that is kept with it',
    )
    if (verb === 'snooze') command.requiredOption('--for <duration>', 'such as 30m or 2h')
    if (verb === 'reassign')
      command
        .option('--user <user>', 'who has it from now on')
        .option('--team <team>', 'whose policy it starts again with')
    command.action((ids: string[], options: AlertVerbOptions) =>
      // The keys of a constant object are its type's keys.
      finish(actOnAlerts(verb as AlertVerb, ids, options, terminal)),
    )
  }
}

function addOutbox(program: Command, terminal: Terminal, finish: Finish): void {
  const outbox = program.command('outbox').description('Show captured messages and answer them')
  connected(outbox.command('ls').description('List captured messages, oldest first'))
    .option('--channel <channel>', 'only this channel')
    .option('--user <user>', 'only to this user')
    .option('--since <instant>', 'only from then on')
    .action((options: OutboxListOptions) => finish(listOutbox(options, terminal)))
  connected(outbox.command('show <id>').description('Show one captured message')).action(
    (id: string, options: VerbOptions) => finish(showOutbox(id, options, terminal)),
  )
  connected(outbox.command('reply <id> [text]').description('Answer as the person would'))
    .option('--action <action>', 'press one of the buttons instead')
    .action((id: string, text: string | undefined, options: ReplyOptions) =>
      finish(replyToOutbox(id, text, options, terminal)),
    )
}

function addConfig(program: Command, terminal: Terminal, finish: Finish): void {
  const config = program.command('config').description('Check and show the configuration')
  configured(config.command('check').description('Say whether a start would take it; lists every fault'))
    .option('--json', 'for machines')
    .action((options: ConfigVerbOptions) => finish(checkConfiguration(options, terminal)))
  configured(config.command('print').description('Show what is in force, secrets masked'))
    .option('--json', 'for machines')
    .action((options: ConfigVerbOptions) => finish(printConfiguration(options, terminal)))
  config
    .command('schema')
    .description('JSON Schema of the file, for editors')
    .option('--json', 'has no effect: a schema is JSON already')
    .action(() => finish(printSchema(terminal)))
}

function addQuestions(program: Command, terminal: Terminal, finish: Finish): void {
  connected(program.command('explain <topic> [json]').description('Show what would become of a publish'))
    .option('--as <id>', 'as this user or client')
    .option('--at <instant>', 'at this time')
    .action((topic: string, json: string | undefined, options: ExplainOptions) =>
      finish(explainPublish(topic, json, options, terminal)),
    )
  connected(
    program.command('simulate <alert-type>').description('Show who would be told of an alert, and when'),
  )
    .option('--severity <level>', 'critical unless set')
    .option('--at <instant>', 'at this time')
    .option('--for <duration>', 'how long to look; 1h unless set')
    .option('--outage <channels...>', 'channels that fail')
    .option('--silent <users...>', 'who does not answer')
    .option('--ack <user:after...>', 'who acknowledges how long after being reached, such as bob:2m')
    .action((type: string, options: SimulateOptions) => finish(simulateType(type, options, terminal)))
  connected(
    program
      .command('preflight')
      .description('What would keep a page of the next 14 days from arriving; 1 if there is anything'),
  ).action((options: VerbOptions) => finish(showPreflight(options, terminal)))
  connected(program.command('test-send <user>').description('Send a test message, and say what became of it'))
    .option(
      '--channel <channel>',
      'email, sms, voice, push, web_push, telegram or speech; all but speech unless set',
    )
    .action((user: string, options: TestSendOptions) => finish(testSend(user, options, terminal)))
  connected(program.command('verify-audit').description('Say whether the audit log is what was written'))
    .option('--head <seq:hash>', 'a head that the log of the program had once')
    .action((options: VerifyAuditOptions) => finish(verifyAudit(options, terminal)))
}
