import type { Command } from 'commander'
import { print, type VerbOptions } from './alerts.ts'
import { createApi, field, isObject, itemsOf, type Json } from './api.ts'
import { connected, type Finish } from './command-options.ts'
import { findConnection } from './connection.ts'
import { eachInTurn } from './each-in-turn.ts'
import { CliFailure, table, type Terminal } from './terminal.ts'
import { endOf } from './until.ts'

/** `carillon silence add|preview|ls|end`. */
export function addSilences(program: Command, terminal: Terminal, finish: Finish): void {
  const silence = program.command('silence').alias('silences').description('Keep alerts quiet for a while')
  matching(silence.command('add').description('Silence alerts from now on'))
    .requiredOption('--reason <text>', 'why; it is kept')
    .option('--until <instant>', 'RFC 3339; or')
    .option('--for <duration>', 'so long from now on, such as 2h')
    .action((options: SilenceOptions) => finish(addSilence(options, terminal)))
  matching(silence.command('preview').description('Show which open alerts a silence would be about'))
    .option('--until <instant>', 'RFC 3339; in an hour unless set')
    .option('--for <duration>', 'such as 2h')
    .action((options: SilenceOptions) => finish(previewSilence(options, terminal)))
  connected(
    silence.command('ls').description('List silences, those that ended in the last 7 days too'),
  ).action((options: VerbOptions) => finish(listSilences(options, terminal)))
  connected(
    silence.command('end <ids...>').description('End silences now; what they hid and is open, pages'),
  ).action((ids: string[], options: VerbOptions) => finish(endSilences(ids, options, terminal)))
}

const matching = (command: Command) =>
  connected(command)
    .option('--type <type>', 'alert type; * stands for anything')
    .option('--source <source>', 'source of the alert; * stands for anything')
    .option('--severity <level>', 'critical, warning or info')
    .option('--team <team>', 'alerts of this team')

interface SilenceOptions extends VerbOptions {
  readonly type?: string
  readonly source?: string
  readonly severity?: string
  readonly team?: string
  readonly reason?: string
  readonly until?: string
  readonly for?: string
}

function matchOf({ type, source, severity, team }: SilenceOptions): Json {
  const match = { type, source, severity, team }
  if (Object.values(match).every((value) => value === undefined))
    throw new CliFailure(2, 'which alerts? Give --type, --source, --severity or --team')
  return match
}

async function addSilence(options: SilenceOptions, terminal: Terminal): Promise<number> {
  const { reason, until: at } = options
  const match = matchOf(options)
  const until = endOf({ at, name: 'until', ...forOf(options) }, terminal)
  const api = createApi(findConnection(options, terminal), terminal)
  const made = await api.post('/v1/silences', { match, reason, until })
  if (options.json === true) return print(terminal, made)
  terminal.write(silenceTable([made]))
  return 0
}

async function previewSilence(options: SilenceOptions, terminal: Terminal): Promise<number> {
  const match = matchOf(options)
  const wanted = options.until === undefined && options.for === undefined ? { for: '1h' } : forOf(options)
  const until = endOf({ at: options.until, name: 'until', ...wanted }, terminal)
  const api = createApi(findConnection(options, terminal), terminal)
  const wish = { match, reason: 'preview', until, preview: true }
  const answer = await api.post('/v1/silences', wish)
  if (options.json === true) return print(terminal, answer)
  const rows = itemsOf(answer).map((alert) =>
    ['id', 'status', 'severity', 'type', 'source', 'message'].map((key) => field(alert, key)),
  )
  terminal.write(`${field(answer, 'count')} open alerts would be silenced\n`)
  if (rows.length > 0) terminal.write(table(['ID', 'STATUS', 'SEVERITY', 'TYPE', 'SOURCE', 'MESSAGE'], rows))
  return 0
}

const forOf = (options: SilenceOptions) => (options.for === undefined ? {} : { for: options.for })

async function listSilences(options: VerbOptions, terminal: Terminal): Promise<number> {
  const answer = await createApi(findConnection(options, terminal), terminal).get('/v1/silences')
  if (options.json === true) return print(terminal, answer)
  terminal.write(silenceTable(itemsOf(answer)))
  return 0
}

function silenceTable(silences: readonly Json[]): string {
  const rows = silences.map((silence) => [
    field(silence, 'id'),
    stateOf(silence),
    field(silence, 'owner'),
    field(silence, 'until'),
    isObject(silence['hidden']) ? field(silence['hidden'], 'count') : '',
    isObject(silence['match']) ? matchText(silence['match']) : '',
    field(silence, 'reason'),
  ])
  return table(['ID', 'STATE', 'OWNER', 'UNTIL', 'HIDDEN', 'ALERTS', 'REASON'], rows)
}

function stateOf(silence: Json): string {
  if (silence['active'] === true) return 'active'
  const by = field(silence, 'ended_by')
  return by === '' ? 'over' : `ended by ${by}`
}

const matchText = (match: Json) =>
  Object.keys(match)
    .map((key) => `${key}=${field(match, key)}`)
    .join(' ')

/** In turn; the first that is not in force ends it. */
async function endSilences(
  ids: readonly string[],
  options: VerbOptions,
  terminal: Terminal,
): Promise<number> {
  return eachInTurn(ids, { options, terminal }, async (api, id) => {
    await api.delete(`/v1/silences/${encodeURIComponent(id)}`)
    return { answer: { id }, said: `${id}  ended` }
  })
}
