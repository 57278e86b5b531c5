import type { Command } from 'commander'
import { print, type VerbOptions } from './alerts.ts'
import { createApi, field, isObject, itemsOf, listOf, type Json } from './api.ts'
import { connected, type Finish } from './command-options.ts'
import { findConnection } from './connection.ts'
import { CliFailure, paint, printable, table, type Terminal } from './terminal.ts'
import { endAfter } from './until.ts'

/** `carillon oncall now|show|override|overrides|end-override|ical` (contract section 9). */
export function addOnCall(program: Command, terminal: Terminal, finish: Finish): void {
  const oncall = program.command('oncall').description('Show who is on call, and change it for a while')
  connected(oncall.command('now [team]').description('Who is on call now, and who comes next')).action(
    (team: string | undefined, options: VerbOptions) => finish(onCallNow(team, options, terminal)),
  )
  connected(oncall.command('show <team>').description('The shifts of a team, and when nobody is on call'))
    .option('--from <instant>', 'RFC 3339; now unless set')
    .option('--to <instant>', 'RFC 3339; a week later unless set')
    .action((team: string, options: WindowOptions) => finish(showShifts(team, options, terminal)))
  connected(oncall.command('override <team> <user>').description('Change who is on call for a limited time'))
    .option('--from <time>', 'local time of the schedule, or one with an offset; now unless set')
    .option('--to <time>', 'the same; or')
    .option('--for <duration>', 'so long from now on, such as 8h')
    .option('--kind <kind>', 'replace (unless set), add or remove')
    .option('--replaces <user>', 'replace this person only, of several who are on')
    .action((team: string, user: string, options: OverrideOptions) =>
      finish(override({ team, user }, options, terminal)),
    )
  connected(oncall.command('overrides <team>').description('List the changes of a team’s duty')).action(
    (team: string, options: VerbOptions) => finish(listOverrides(team, options, terminal)),
  )
  connected(oncall.command('end-override <team> <id>').description('Take a change back')).action(
    (team: string, id: string, options: VerbOptions) => finish(endOverride({ team, id }, options, terminal)),
  )
  connected(oncall.command('ical <team>').description('The shifts of a team as an iCalendar file')).action(
    (team: string, options: VerbOptions) => finish(writeICal(team, options, terminal)),
  )
}

/** Who is on call now, until when, and who comes next: every team, or one. */
async function onCallNow(
  team: string | undefined,
  options: VerbOptions,
  terminal: Terminal,
): Promise<number> {
  const answer = await createApi(findConnection(options, terminal), terminal).get('/v1/oncall')
  const all = itemsOf(answer)
  const items = all.filter((item) => team === undefined || field(item, 'team') === team)
  if (team !== undefined && items.length === 0) {
    const teams = all.map((item) => field(item, 'team')).join(', ')
    throw new CliFailure(1, printable(`there is no team ${team}; the teams are: ${teams || 'none'}`))
  }
  if (options.json === true) return print(terminal, { ...answer, items })
  const rows = items.map((item) => [
    field(item, 'team'),
    who(item['users'] ?? item['user']) || who(item['user']) || 'nobody',
    field(item, 'until'),
    who(item['next']),
  ])
  terminal.write(table(['TEAM', 'ON CALL', 'UNTIL', 'NEXT'], rows))
  return 0
}

/** Names out of an id, an object that has one, or a list of either. */
function who(value: unknown): string {
  if (Array.isArray(value)) return value.map(who).filter(Boolean).join(', ')
  if (isObject(value)) return who(value['user'] ?? value['name'] ?? value['id'])
  return typeof value === 'string' ? value : ''
}

interface WindowOptions extends VerbOptions {
  readonly from?: string
  readonly to?: string
}

async function showShifts(team: string, options: WindowOptions, terminal: Terminal): Promise<number> {
  const { from, to } = options
  const api = createApi(findConnection(options, terminal), terminal)
  const answer = await api.get(pathOf(team), { from, to })
  if (options.json === true) return print(terminal, answer)
  const row = (user: string, item: Json) => ({
    from: field(item, 'from'),
    cells: [user, field(item, 'from'), field(item, 'to')],
  })
  const rows = [
    ...itemsOf(answer).map((item) => row(field(item, 'user'), item)),
    ...listOf(answer['gaps']).map((gap) => row('nobody', gap)),
  ].toSorted((a, b) => (a.from < b.from ? -1 : Number(a.from > b.from)))
  const text = table(
    ['ON CALL', 'FROM', 'TO'],
    rows.map(({ cells }) => cells),
  )
  terminal.write(text.replaceAll(/^nobody\b.*$/gm, (line) => paint(terminal, 'red', line)))
  return 0
}

interface OverrideOptions extends WindowOptions {
  readonly for?: string
  readonly kind?: string
  readonly replaces?: string
}

async function override(
  { team, user }: { readonly team: string; readonly user: string },
  options: OverrideOptions,
  terminal: Terminal,
): Promise<number> {
  const { from, for: duration, kind, replaces } = options
  if ((options.to === undefined) === (duration === undefined))
    throw new CliFailure(2, 'give either --to <time> or --for <duration>')
  if (duration !== undefined && from !== undefined)
    throw new CliFailure(2, '--for counts from now on; give --from and --to instead')
  const now = terminal.clock.now()
  const made = await createApi(findConnection(options, terminal), terminal).post(
    `${pathOf(team)}/overrides`,
    {
      user,
      from: from ?? new Date(now).toISOString(),
      to: duration === undefined ? options.to : endAfter(now, duration),
      ...(kind !== undefined && { kind }),
      ...(replaces !== undefined && { replaces }),
    },
  )
  if (options.json === true) return print(terminal, made)
  terminal.write(overrideTable([made]))
  return 0
}

async function listOverrides(team: string, options: VerbOptions, terminal: Terminal): Promise<number> {
  const api = createApi(findConnection(options, terminal), terminal)
  const answer = await api.get(`${pathOf(team)}/overrides`)
  if (options.json === true) return print(terminal, answer)
  terminal.write(overrideTable(itemsOf(answer)))
  return 0
}

function overrideTable(overrides: readonly Json[]): string {
  const keys = ['id', 'kind', 'user', 'replaces', 'from', 'to']
  const rows = overrides.map((one) => [
    ...keys.map((key) => field(one, key)),
    field(one, 'by') || field(one, 'source'),
  ])
  return table(['ID', 'KIND', 'USER', 'REPLACES', 'FROM', 'TO', 'BY'], rows)
}

async function endOverride(
  { team, id }: { readonly team: string; readonly id: string },
  options: VerbOptions,
  terminal: Terminal,
): Promise<number> {
  const api = createApi(findConnection(options, terminal), terminal)
  await api.delete(`${pathOf(team)}/overrides/${encodeURIComponent(id)}`)
  if (options.json === true) return print(terminal, { id })
  terminal.write(printable(`${id} is taken back`) + '\n')
  return 0
}

/** The calendar as it is, for a file; `--json` wraps it, as `{"ical"}`. */
async function writeICal(team: string, options: VerbOptions, terminal: Terminal): Promise<number> {
  const ical = await createApi(findConnection(options, terminal), terminal).text(`${pathOf(team)}.ics`)
  if (options.json === true) return print(terminal, { ical })
  terminal.write(ical)
  return 0
}

const pathOf = (team: string) => `/v1/oncall/${encodeURIComponent(team)}`
