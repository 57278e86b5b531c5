import type { IncomingHttpHeaders } from 'node:http'
import { fault } from '../errors.ts'
import type { AlertLevel } from '../alert/alert.ts'
import { keyOf, typeOf, type HookAlert } from './hook-alert.ts'

/** A message in the words of ntfy: https://docs.ntfy.sh/publish/ */
export interface NtfyMessage {
  readonly topic: string
  readonly message: string
  readonly title?: string
  readonly priority: number
  readonly tags: readonly string[]
  readonly click?: string
}

const PRIORITIES: Readonly<Record<string, number>> = {
  min: 1,
  low: 2,
  default: 3,
  high: 4,
  urgent: 5,
  max: 5,
}
const DEFAULT_PRIORITY = 3
const LEVELS: readonly AlertLevel[] = ['info', 'info', 'info', 'warning', 'critical']

/** Reads a publish to a topic: the text is the message, everything else stands in headers. Throws `request.invalid` for a priority that is none. */
export function ntfyText(topic: string, headers: IncomingHttpHeaders, text: string): NtfyMessage {
  const header = (...names: readonly string[]) => {
    for (const name of names) {
      const value = headers[`x-${name}`] ?? headers[name]
      if (typeof value === 'string' && value !== '') return value
    }
    return undefined
  }
  const title = header('title', 't')
  const click = header('click')
  return {
    topic,
    // As ntfy does with an empty message.
    message: text === '' ? 'triggered' : text,
    priority: priorityOf(header('priority', 'prio', 'p')),
    tags: (header('tags', 'tag', 'ta') ?? '').split(',').flatMap((tag) => tag.trim() || []),
    ...(title !== undefined && { title }),
    ...(click !== undefined && { click }),
  }
}

/** A message has no key: topic and title are one condition. The tag `resolved` ends it. */
export function fromNtfy({ topic, message, title, priority, tags, click }: NtfyMessage): HookAlert {
  return {
    action: tags.includes('resolved') ? 'resolve' : 'fire',
    level: LEVELS[priority - 1] ?? 'info',
    type: typeOf(topic),
    message: title === undefined ? message : `${title}: ${message}`,
    source: topic,
    dedupKey: keyOf('ntfy', `${topic}:${title ?? message}`),
    data: { tags, priority, ...(click !== undefined && { url: click }) },
  }
}

/** Reads a publish as JSON, which names its topic. Throws `request.invalid` without one, or for a priority that is none. */
export function ntfyJson(body: unknown): NtfyMessage {
  const given = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {}
  const text = (name: string) => (typeof given[name] === 'string' ? given[name] : undefined)
  const [topic, title, click] = [text('topic'), text('title'), text('click')]
  if (topic === undefined || topic === '')
    throw fault('request.invalid', 'topic is required', { field: 'topic', in: 'body' })
  return {
    topic,
    message: text('message') || 'triggered',
    priority: priorityOf(given['priority']),
    tags: Array.isArray(given['tags']) ? given['tags'].filter((tag) => typeof tag === 'string') : [],
    ...(title !== undefined && { title }),
    ...(click !== undefined && { click }),
  }
}

/**
 * A number from 1 to 5 or its name, 3 without one; throws `request.invalid` for anything else, as ntfy does. What
 * browsers send as `Priority` by themselves (RFC 9218) is none.
 */
function priorityOf(given: unknown): number {
  if (given === undefined || given === null || given === 0) return DEFAULT_PRIORITY
  const word = typeof given === 'string' ? given.trim().toLowerCase() : ''
  if (/^[ui]\b/.test(word)) return DEFAULT_PRIORITY
  const number = Object.hasOwn(PRIORITIES, word) ? PRIORITIES[word] : Number(given)
  if (number !== undefined && Number.isInteger(number) && number >= 1 && number <= 5) return number
  throw fault('request.invalid', `priority takes 1 to 5 or ${Object.keys(PRIORITIES).join(', ')}`, {
    field: 'priority',
  })
}
