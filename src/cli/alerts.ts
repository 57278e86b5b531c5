import { createApi, field, instantOf, itemsOf, listOf } from './api.ts'
import { findConnection } from './connection.ts'
import { CliFailure, paint, printable, table } from './terminal.ts'
import { deliveryLine, entryLine, formatLine } from './timeline.ts'
import type { Json } from './api.ts'
import type { ConnectionOptions } from './connection.ts'
import type { Terminal } from './terminal.ts'

export interface AlertListOptions extends ConnectionOptions {
  readonly status?: string
  readonly severity?: string
  readonly team?: string
  readonly limit?: string
  readonly json?: boolean
}

export async function listAlerts(options: AlertListOptions, terminal: Terminal): Promise<number> {
  const { status, severity, team, limit } = options
  const answer = await createApi(findConnection(options, terminal), terminal).get('/v1/alerts', {
    status,
    severity,
    team,
    limit,
  })
  if (options.json === true) return print(terminal, answer)
  const rows = itemsOf(answer).map((alert) => [
    field(alert, 'id'),
    field(alert, 'status'),
    field(alert, 'severity'),
    field(alert, 'type'),
    `x${field(alert, 'count')}`,
    field(alert, 'acknowledged_by'),
    field(alert, 'message'),
  ])
  terminal.write(table(['ID', 'STATUS', 'SEVERITY', 'TYPE', 'COUNT', 'ACK BY', 'MESSAGE'], rows))
  return 0
}

export interface VerbOptions extends ConnectionOptions {
  readonly json?: boolean
}

export async function showAlert(id: string, options: VerbOptions, terminal: Terminal): Promise<number> {
  const api = createApi(findConnection(options, terminal), terminal)
  const alert = await api.get(`/v1/alerts/${encodeURIComponent(id)}`)
  if (options.json === true) return print(terminal, alert)
  terminal.write(`${summary(alert)}\n`)
  const startAt = instantOf(alert['created_at']) ?? 0
  const timeline = listOf(alert['timeline'])
  const lines = [
    ...timeline.map((entry, index) => entryLine(entry, timeline[index - 1])),
    ...listOf(alert['deliveries']).map((delivery) => deliveryLine(delivery, timeline)),
  ].filter((line) => line !== null)
  for (const line of lines.toSorted((a, b) => a.at - b.at)) {
    const text = formatLine(line, startAt)
    terminal.write(`${line.colour ? paint(terminal, line.colour, text) : text}\n`)
  }
  return 0
}

export const ALERT_VERBS = {
  ack: 'Acknowledge: you have it, nobody else is woken up',
  unack: 'Take an acknowledgement back: the alert starts again',
  escalate: 'Move on to the next step',
  snooze: 'Ask again after some time',
  resolve: 'Close the alert',
  reassign: 'Hand over to somebody else',
  note: 'Write something down',
} as const
export type AlertVerb = keyof typeof ALERT_VERBS

export interface AlertVerbOptions extends VerbOptions {
  readonly message?: string
  readonly for?: string
  readonly user?: string
  readonly team?: string
}

/** `POST /v1/alerts/{id}/{verb}` for each id, in turn; the first failure ends it. */
export async function actOnAlerts(
  verb: AlertVerb,
  ids: readonly string[],
  options: AlertVerbOptions,
  terminal: Terminal,
): Promise<number> {
  if (verb === 'reassign' && (options.user === undefined) === (options.team === undefined))
    throw new CliFailure(2, 'give either --user or --team')
  const api = createApi(findConnection(options, terminal), terminal)
  const { message: note, for: duration, user, team } = options
  const body = {
    ...(note !== undefined && { note }),
    ...(duration !== undefined && { for: duration }),
    ...(user !== undefined && { user }),
    ...(team !== undefined && { team }),
  }
  for (const id of ids) {
    const alert = await api.post(`/v1/alerts/${encodeURIComponent(id)}/${verb}`, body)
    terminal.write(options.json === true ? `${JSON.stringify(alert)}\n` : `${summary(alert)}\n`)
  }
  return 0
}

function summary(alert: Json): string {
  const by = field(alert, 'acknowledged_by')
  const via = field(alert, 'acknowledged_via')
  const status = field(alert, 'status')
  const taken = by === '' ? '' : `by ${by}${via === '' ? '' : ` (${via})`}`
  // Who took it on is not who resolved it; the timeline says who did.
  // Where several must acknowledge, one alone leaves it as it was.
  const acks = listOf(alert['acknowledgements']).length
  const part = taken === '' && acks > 0 ? `  acknowledged by ${acks} of ${field(alert, 'acks_required')}` : ''
  const whose = taken === '' ? part : status === 'acknowledged' ? `  ${taken}` : `  acknowledged ${taken}`
  const head = `${field(alert, 'id')}  ${status}${whose}`
  return printable(`${head}  ${field(alert, 'severity')} ${field(alert, 'type')}: ${field(alert, 'message')}`)
}

/** Writes the server's answer as it is, on one line. */
export function print(terminal: Terminal, answer: unknown): 0 {
  terminal.write(`${JSON.stringify(answer)}\n`)
  return 0
}
