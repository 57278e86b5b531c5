import { fault } from '../errors.ts'
import { firstText, keyOf, levelOf, typeOf, type HookAlert, type HookWishes } from './hook-alert.ts'

type Fields = Readonly<Record<string, unknown>>

const MOST = 500
const ENDED = new Set([
  'resolved',
  'resolve',
  'ok',
  'closed',
  'close',
  'recovered',
  'recovery',
  'up',
  'normal',
])

/**
 * Any JSON object with a text in it, or a list of such, by the names that most programs use for these fields. The type
 * that the URL asks for counts in the key of what has none of its own: another type is another alert.
 */
export function fromGeneric(body: unknown, { type }: HookWishes = {}): readonly HookAlert[] {
  const items: readonly unknown[] = Array.isArray(body) ? body : [body]
  if (items.length > MOST) throw fault('request.invalid', `More than ${MOST} alerts in one request`)
  return items.map((item) => fromObject(item, type))
}

function fromObject(item: unknown, wished: string | undefined): HookAlert {
  const body: Fields =
    typeof item === 'object' && item !== null && !Array.isArray(item) ? (item as Fields) : {}
  const of = (...names: readonly string[]) => firstText(...names.map((name) => scalar(body[name])))
  const message = of('message', 'text', 'summary', 'title', 'body', 'msg', 'description', 'subject')
  if (message === null)
    throw fault('request.invalid', 'No message, text, summary, title or description in it', {
      field: 'message',
      in: 'body',
    })
  const type = wished ?? typeOf(of('type', 'alert_type', 'alertname', 'name', 'check', 'monitor'), 'generic')
  const source = of('source', 'host', 'hostname', 'instance', 'service', 'node')
  const key = of('dedup_key', 'fingerprint', 'alias', 'key', 'incident_id', 'id')
  const status = of('status', 'state', 'event_action', 'action')?.toLowerCase() ?? ''
  return {
    action: ENDED.has(status) ? 'resolve' : 'fire',
    level: levelOf(of('severity', 'level', 'priority')),
    type,
    message,
    source,
    // Without a key the text may change from alarm to all-clear, so what it is about stands for it.
    dedupKey: keyOf('generic', key ?? `${type}:${source ?? message}`),
    data: body,
  }
}

function scalar(value: unknown): string | null {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null
}
