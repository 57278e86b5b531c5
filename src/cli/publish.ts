import { createApi, field, instantOf, isObject, itemsOf, listOf } from './api.ts'
import { findConnection } from './connection.ts'
import { CliFailure, paint, pause, printable } from './terminal.ts'
import { alertEnd, allDecided, deliveryLine, entryLine, formatLine } from './timeline.ts'
import type { Api, Json } from './api.ts'
import type { ConnectionOptions } from './connection.ts'
import type { Terminal } from './terminal.ts'
import type { TimelineLine } from './timeline.ts'

export interface PublishOptions extends ConnectionOptions {
  readonly message?: string
  readonly id?: string
  readonly wait?: boolean
  readonly json?: boolean
}

const POLL_MS = 250
const DELIVERIES_WITHIN_MS = 10_000

/**
 * Publishes through `POST /v1/publish/{topic}`. With `--wait` it shows what happens until somebody answered an
 * alert, or every delivery of a notification was decided or waits for its person to connect. Exit code 1 when nobody
 * answered, or a delivery is lost.
 */
export async function publish(
  topic: string,
  json: string | undefined,
  options: PublishOptions,
  terminal: Terminal,
): Promise<number> {
  const body = payloadOf(json, options.message)
  const api = createApi(findConnection(options, terminal), terminal)
  const startAt = terminal.clock.now()
  const path = topic.split('/').map(encodeURIComponent).join('/')
  const headers = options.id === undefined ? {} : { 'idempotency-key': options.id }
  const answer = await api.post(`/v1/publish/${path}`, body, headers)
  terminal.write(options.json === true ? `${JSON.stringify(answer)}\n` : `${accepted(answer)}\n`)
  if (options.wait !== true) return 0
  const result = isObject(answer['result']) ? answer['result'] : {}
  const watch: Watch = { api, terminal, startAt, json: options.json === true, shown: new Set() }
  const alertId = field(result, 'alert_id')
  if (alertId !== '') return watchAlert(watch, alertId)
  const notificationId = field(result, 'notification_id') || field(answer, 'id')
  return watchNotification(watch, notificationId)
}

function payloadOf(json: string | undefined, message: string | undefined): string {
  if (json === undefined) return JSON.stringify(message === undefined ? {} : { message })
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (error) {
    throw new CliFailure(2, `the payload is no JSON (${(error as Error).message}); for plain text use -m`)
  }
  if (message === undefined) return json
  if (!isObject(parsed)) throw new CliFailure(2, '-m needs a JSON object to put the message in')
  return JSON.stringify({ ...parsed, message })
}

function accepted(answer: Json): string {
  const result = isObject(answer['result']) ? answer['result'] : {}
  const alert = field(result, 'alert_id')
  const notification = field(result, 'notification_id')
  const channels = Array.isArray(result['channels']) ? result['channels'].map(String).join(', ') : ''
  const parts = ['accepted', field(answer, 'id')]
  if (alert !== '') parts.push(`alert ${alert}`)
  if (notification !== '') parts.push(`notification ${notification}`)
  if (channels !== '') parts.push(`channels ${channels}`)
  if (alert === '' && notification === '') parts.push(...outcome(result))
  return printable(parts.join('  '))
}

/** What else a publish may have become: `group_sent  3 people`, `scheduled  for 2027-01-01T08:00:00.000Z`. */
function outcome(result: Json): string[] {
  const status = field(result, 'status')
  const people = field(result, 'sent_count')
  const sendAt = instantOf(result['send_at'])
  const parts = status === '' ? [] : [status]
  if (people !== '') parts.push(people === '1' ? '1 person' : `${people} people`)
  if (sendAt !== undefined) parts.push(`for ${new Date(sendAt).toISOString()}`)
  return parts
}

interface Watch {
  readonly api: Api
  readonly terminal: Terminal
  readonly startAt: number
  readonly json: boolean
  /** What was shown before; what comes again says nothing new. */
  readonly shown: Set<string>
}

async function watchAlert(watch: Watch, alertId: string): Promise<number> {
  const { api, terminal } = watch
  let startAt: number | undefined
  while (!terminal.interrupted.aborted) {
    const alert = await whileWanted(watch, api.get(`/v1/alerts/${encodeURIComponent(alertId)}`))
    if (!alert) break
    const timeline = listOf(alert['timeline'])
    startAt ??= entryLine(timeline[0] ?? {})?.at ?? watch.startAt
    show(watch, startAt, [
      ...timeline.map((entry, index) => [`t${index}`, entry, entryLine(entry, timeline[index - 1])] as const),
      ...listOf(alert['deliveries']).map((row) => [keyOf(row), row, deliveryLine(row, timeline)] as const),
    ])
    const end = alertEnd(alert)
    if (end !== null) return end === 'answered' ? 0 : 1
    await pause(terminal, POLL_MS)
  }
  return 0
}

async function watchNotification(watch: Watch, notificationId: string): Promise<number> {
  const { api, terminal } = watch
  const until = terminal.clock.now() + DELIVERIES_WITHIN_MS
  while (!terminal.interrupted.aborted) {
    const answer = await whileWanted(watch, api.get('/v1/deliveries', { notification_id: notificationId }))
    if (!answer) break
    const deliveries = itemsOf(answer)
    const created = deliveries.flatMap((row) => instantOf(row['created_at']) ?? [])
    show(
      watch,
      // The server's clock, which may differ from this machine's.
      created.length > 0 ? Math.min(...created) : watch.startAt,
      deliveries.map((row) => [keyOf(row), row, deliveryLine(row)] as const),
    )
    if (allDecided(deliveries)) return deliveries.some((row) => field(row, 'state') === 'dead') ? 1 : 0
    if (terminal.clock.now() >= until) return stillWaiting(deliveries, terminal)
    await pause(terminal, POLL_MS)
  }
  return 0
}

/** Who is not connected gets it later, and nothing is wrong: only a channel that should have sent by now is. */
function stillWaiting(deliveries: readonly Json[], terminal: Terminal): number {
  const waiting = deliveries.filter((row) => !allDecided([row]))
  const late = waiting.filter((row) => field(row, 'channel') !== 'realtime')
  if (late.length === 0) {
    const people = new Set(waiting.map((row) => printable(field(row, 'user_id'))))
    terminal.complain(`kept until they connect: ${[...people].join(', ')}\n`)
    return 0
  }
  terminal.complain('some deliveries are still waiting; see `carillon deliveries ls`\n')
  return 1
}

/** The answer, or undefined when Ctrl-C came first. */
async function whileWanted(watch: Watch, answer: Promise<Json>): Promise<Json | undefined> {
  try {
    return await answer
  } catch (error) {
    if (watch.terminal.interrupted.aborted) return undefined
    throw error
  }
}

const keyOf = (delivery: Json) =>
  `${field(delivery, 'id')} ${field(delivery, 'user_id')} ${field(delivery, 'channel')} ${field(delivery, 'state')}`

function show(
  watch: Watch,
  startAt: number,
  rows: readonly (readonly [key: string, row: Json, line: TimelineLine | null])[],
): void {
  const fresh = rows
    .flatMap(([key, row, line]) => (line === null || watch.shown.has(key) ? [] : [{ key, row, line }]))
    .toSorted((a, b) => a.line.at - b.line.at)
  for (const { key, row, line } of fresh) {
    watch.shown.add(key)
    const text = formatLine(line, startAt)
    const shown = line.colour ? paint(watch.terminal, line.colour, text) : text
    watch.terminal.write(watch.json ? `${JSON.stringify(row)}\n` : `${shown}\n`)
  }
}
