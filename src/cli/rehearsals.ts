import { print, type VerbOptions } from './alerts.ts'
import { createApi, field, isObject, listOf, type Json } from './api.ts'
import { findConnection } from './connection.ts'
import { CliFailure, printable, table, type Terminal } from './terminal.ts'

export interface ExplainOptions extends VerbOptions {
  readonly as?: string
  readonly at?: string
}

/** What would become of a publish, step by step; nothing is stored or sent. */
export async function explainPublish(
  topic: string,
  json: string | undefined,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<number> {
  const { as, at } = options
  const api = createApi(findConnection(options, terminal), terminal)
  const answer = await api.post('/v1/explain', {
    topic,
    payload: json ?? '{}',
    ...(as !== undefined && { as }),
    ...(at !== undefined && { at }),
  })
  if (options.json === true) return print(terminal, answer)
  for (const link of listOf(answer['chain'])) {
    const detail = isObject(link['detail']) ? JSON.stringify(link['detail']) : ''
    const head = `${field(link, 'stage').padEnd(12)} ${field(link, 'decision')} (${field(link, 'code')})`
    terminal.write(`${printable(`${head}  ${detail}`)}\n`)
  }
  const timeline = listOf(answer['timeline'])
  if (timeline.length > 0) terminal.write(`\n${timelineTable(timeline)}${leftOut(answer)}`)
  return 0
}

export interface SimulateOptions extends VerbOptions {
  readonly severity?: string
  readonly at?: string
  readonly for?: string
  readonly outage?: readonly string[]
  readonly silent?: readonly string[]
  readonly ack?: readonly string[]
}

/** Who would be told of an alert of this type, when and how; nothing is stored or sent. */
export async function simulateType(
  type: string,
  options: SimulateOptions,
  terminal: Terminal,
): Promise<number> {
  const { severity, at, for: forText, outage, silent, ack } = options
  const api = createApi(findConnection(options, terminal), terminal)
  const answer = await api.post('/v1/simulate', {
    alert: { type, ...(severity !== undefined && { severity }) },
    ...(at !== undefined && { at }),
    ...(forText !== undefined && { for: forText }),
    ...(outage && { outages: outage }),
    ...(silent && { silent }),
    ...(ack && { acks: ack.map(ackOf) }),
  })
  if (options.json === true) return print(terminal, answer)
  terminal.write(`${timelineTable(listOf(answer['timeline']))}${leftOut(answer)}`)
  return 0
}

/** What the timeline says nothing about: one that seems complete and is not would mislead. */
function leftOut(answer: Json): string {
  const names = answer['left_out']
  return Array.isArray(names) ? `left out: ${printable(names.join(', ').replaceAll('_', ' '))}\n` : ''
}

function ackOf(text: string) {
  const [, user, after] = /^(.+):([^:]+)$/.exec(text) ?? []
  if (user === undefined || after === undefined)
    throw new CliFailure(2, '--ack is `{user}:{duration}`, such as bob:2m')
  return { user, after }
}

function timelineTable(events: readonly Json[]): string {
  const rows = events.map((event) =>
    ['at', 'kind', 'user', 'channel', 'step', 'reason'].map((key) => field(event, key)),
  )
  return table(['AT', 'WHAT', 'USER', 'CHANNEL', 'STEP', 'REASON'], rows)
}
