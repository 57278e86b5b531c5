import { print } from './alerts.ts'
import { createApi, field, itemsOf, listOf } from './api.ts'
import { findConnection } from './connection.ts'
import { CliFailure, printable, table } from './terminal.ts'
import type { VerbOptions } from './alerts.ts'
import type { Json } from './api.ts'
import type { Terminal } from './terminal.ts'

export interface OutboxListOptions extends VerbOptions {
  readonly channel?: string
  readonly user?: string
  readonly since?: string
}

export async function listOutbox(options: OutboxListOptions, terminal: Terminal): Promise<number> {
  const { channel, user, since } = options
  const api = createApi(findConnection(options, terminal), terminal)
  const answer = await api.get('/v1/outbox', { channel, user, since })
  if (options.json === true) return print(terminal, answer)
  const rows = itemsOf(answer).map((item) => [
    field(item, 'id'),
    field(item, 'created_at'),
    field(item, 'channel'),
    field(item, 'user_id'),
    field(item, 'address'),
    firstLine(field(item, 'subject') || field(item, 'text')),
  ])
  terminal.write(table(['ID', 'AT', 'CHANNEL', 'USER', 'ADDRESS', 'CONTENT'], rows))
  return 0
}

const firstLine = (text: string) => {
  const [line = ''] = text.split('\n')
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}

export async function showOutbox(id: string, options: VerbOptions, terminal: Terminal): Promise<number> {
  const answer = await createApi(findConnection(options, terminal), terminal).get('/v1/outbox')
  const item = itemsOf(answer).find((candidate) => field(candidate, 'id') === id)
  if (!item) throw new CliFailure(1, `there is no message ${id} in the outbox`)
  if (options.json === true) return print(terminal, item)
  for (const key of ['channel', 'user_id', 'address', 'created_at', 'subject', 'segments']) {
    if (field(item, key) !== '') terminal.write(`${key.padEnd(10)} ${printable(field(item, key))}\n`)
  }
  const text = field(item, 'text').split('\n').map(printable).join('\n')
  terminal.write(`\n${text}\n`)
  for (const action of listOf(item['actions'])) terminal.write(`${actionLine(action)}\n`)
  return 0
}

const actionLine = (action: Json) =>
  printable(`[${field(action, 'id')}] ${field(action, 'label')} ${field(action, 'url')}`.trimEnd())

export interface ReplyOptions extends VerbOptions {
  readonly action?: string
}

/** The person's answer to a captured message: a text such as `ack`, or one of the message's actions. */
export async function replyToOutbox(
  id: string,
  text: string | undefined,
  options: ReplyOptions,
  terminal: Terminal,
): Promise<number> {
  if ((text === undefined) === (options.action === undefined)) {
    throw new CliFailure(2, 'give either a text or --action')
  }
  const api = createApi(findConnection(options, terminal), terminal)
  const body = text === undefined ? { action: options.action } : { text }
  const answer = await api.post(`/v1/outbox/${encodeURIComponent(id)}/reply`, body)
  if (options.json === true) return print(terminal, answer)
  const reply = field(answer, 'reply') || field(answer, 'text') || field(answer, 'message')
  terminal.write(`${reply === '' ? 'done' : printable(reply)}\n`)
  return 0
}
