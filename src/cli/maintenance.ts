import type { Command } from 'commander'
import { print, type VerbOptions } from './alerts.ts'
import { createApi, field, isObject, itemsOf } from './api.ts'
import { connected, type Finish } from './command-options.ts'
import { findConnection } from './connection.ts'
import { CliFailure, printable, table, type Terminal } from './terminal.ts'
import { endAfter, endOf } from './until.ts'

const PUBLISH = '/v1/publish/notifications/system/maintenance'

/** `carillon maintenance add|ls|cancel`: windows of checklist R35, announced over the same door as over MQTT. */
export function addMaintenance(program: Command, terminal: Terminal, finish: Finish): void {
  const maintenance = program.command('maintenance').description('Announce maintenance windows')
  connected(maintenance.command('add').description('Announce a window; what begins in it pages nobody'))
    .option('--id <id>', 'announcing it again changes the window')
    .option('--start <instant>', 'RFC 3339; now unless set')
    .option('--end <instant>', 'RFC 3339; or')
    .option('--for <duration>', 'so long from its start on, such as 2h')
    .option('--system <systems...>', 'affected systems')
    .option('--source <sources...>', 'sources of alerts; * stands for anything')
    .option('--type <types...>', 'alert types; * stands for anything')
    .option('--group <groups...>', 'who is told; everybody unless set')
    .option('--title <text>', 'of the announcement')
    .option('-m, --message <text>', 'of the announcement')
    .action((options: WindowOptions) => finish(addWindow(options, terminal)))
  connected(maintenance.command('ls').description('List windows')).action((options: VerbOptions) =>
    finish(listWindows(options, terminal)),
  )
  connected(
    maintenance.command('cancel <id>').description('Call a window off, or end it now; what it muted pages'),
  ).action((id: string, options: VerbOptions) => finish(cancelWindow(id, options, terminal)))
}

interface WindowOptions extends VerbOptions {
  readonly id?: string
  readonly start?: string
  readonly end?: string
  readonly for?: string
  readonly system?: readonly string[]
  readonly source?: readonly string[]
  readonly type?: readonly string[]
  readonly group?: readonly string[]
  readonly title?: string
  readonly message?: string
}

async function addWindow(options: WindowOptions, terminal: Terminal): Promise<number> {
  const { id, start, system, source, type, group, title, message } = options
  if (system === undefined && source === undefined && type === undefined)
    throw new CliFailure(2, 'what is affected? Give --system, --source or --type')
  const body = {
    ...(id !== undefined && { id }),
    ...(title !== undefined && { title }),
    ...(message !== undefined && { message }),
    ...(start !== undefined && { start }),
    end: windowEnd(options, terminal),
    ...(system && { affected_systems: system }),
    ...(source && { sources: source }),
    ...(type && { alert_types: type }),
    ...(group && { target_groups: group }),
  }
  return announce(body, options, terminal)
}

function windowEnd({ start, end, for: duration }: WindowOptions, terminal: Terminal): string {
  if (start === undefined || duration === undefined || end !== undefined)
    return endOf({ at: end, name: 'end', ...(duration !== undefined && { for: duration }) }, terminal)
  const from = Date.parse(start)
  if (Number.isNaN(from)) throw new CliFailure(2, `--start is RFC 3339, found "${start}"`)
  return endAfter(from, duration)
}

const cancelWindow = (id: string, options: VerbOptions, terminal: Terminal) =>
  announce({ id, status: 'cancelled' }, options, terminal)

async function announce(body: object, options: VerbOptions, terminal: Terminal): Promise<number> {
  const answer = await createApi(findConnection(options, terminal), terminal).post(PUBLISH, body)
  if (options.json === true) return print(terminal, answer)
  const result = isObject(answer['result']) ? answer['result'] : {}
  const state = field(result, 'status').replace('maintenance_', '')
  terminal.write(`${printable(`${field(result, 'maintenance_id') || field(answer, 'id')}  ${state}`)}\n`)
  return 0
}

async function listWindows(options: VerbOptions, terminal: Terminal): Promise<number> {
  const answer = await createApi(findConnection(options, terminal), terminal).get('/v1/maintenance')
  if (options.json === true) return print(terminal, answer)
  const rows = itemsOf(answer).map((window) => [
    ...['id', 'state', 'start', 'end', 'by'].map((key) => field(window, key)),
    isObject(window['muted']) ? field(window['muted'], 'count') : '',
    ['affected_systems', 'sources', 'alert_types'].flatMap((key) => textsOf(window[key])).join(' '),
    field(window, 'title') || field(window, 'message'),
  ])
  terminal.write(table(['ID', 'STATE', 'START', 'END', 'BY', 'MUTED', 'AFFECTED', 'TITLE'], rows))
  return 0
}

const textsOf = (value: unknown) => (Array.isArray(value) ? value.map(String) : [])
