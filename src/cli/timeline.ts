import { field, instantOf, isObject } from './api.ts'
import { printable } from './terminal.ts'
import type { Json } from './api.ts'
import type { Colour } from './terminal.ts'

/** One line of what happens after a publish. */
export interface TimelineLine {
  readonly at: number
  readonly text: string
  readonly colour?: Colour
}

/** `+0.05 s`, `+12.0 s`: hundredths while they matter. */
export function formatOffset(ms: number): string {
  const seconds = Math.max(ms, 0) / 1000
  return `+${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`
}

/** `  +12.0 s  no answer -> step 2`. */
export function formatLine(line: TimelineLine, startAt: number): string {
  return `  ${formatOffset(line.at - startAt).padEnd(8)} ${line.text}`
}

/** After these a step comes because somebody wanted it, not because nobody answered. */
const WANTED = ['escalated', 'reassigned', 'unacknowledged', 'returned', 'promoted']

/**
 * What an entry of an alert's timeline means, or null for one that says nothing to people. `before` is the entry
 * that stands before it.
 */
export function entryLine(entry: Json, before?: Json): TimelineLine | null {
  const at = instantOf(entry['at']) ?? 0
  const by = printable(field(entry, 'by'))
  const via =
    entry['via'] === undefined || entry['via'] === null ? '' : ` (${printable(field(entry, 'via'))})`
  const text = printable(field(entry, 'text'))
  const reason = text === '' ? '' : `: ${text}`
  const step = field(entry, 'step')
  const users = Array.isArray(entry['users']) ? entry['users'].map(String).map(printable).join(', ') : ''
  const whom = users === '' ? '' : `: ${users}`
  switch (field(entry, 'kind')) {
    case 'opened':
      return { at, text: `alert opened by ${by}` }
    case 'repeated':
      return { at, text: `fired again${reason}`, colour: 'dim' }
    case 'step':
      return isAskedFor(entry, before)
        ? { at, text: `step ${step}${whom}` }
        : { at, text: `no answer -> step ${step}${whom}`, colour: 'yellow' }
    case 'skipped':
      return { at, text: `step ${step} skipped${reason}`, colour: 'yellow' }
    case 'waiting':
      return { at, text: `step ${step} waits for its time window${reason}` }
    case 'stale':
      return { at, text: `nobody is paged any more${reason}`, colour: 'red' }
    case 'fallback':
      return { at, text: `fallback${whom}${reason}`, colour: 'red' }
    case 'partly_acknowledged':
      return { at, text: `acknowledged by ${by}${via}${reason}`, colour: 'green' }
    case 'reminded':
      return { at, text: `asked again${whom}`, colour: 'yellow' }
    case 'finished':
      return { at, text: `nobody answered: no step is left${reason}`, colour: 'red' }
    case 'acknowledged':
      return { at, text: `acknowledged by ${by}${via}${reason}`, colour: 'green' }
    case 'unacknowledged':
      return { at, text: `acknowledgement taken back by ${by}${via}`, colour: 'yellow' }
    case 'escalated':
      return { at, text: `escalated by ${by}${via}${reason}`, colour: 'yellow' }
    case 'snoozed':
      return { at, text: `snoozed by ${by}${via}${reason}` }
    case 'returned':
      return { at, text: `open again${reason}`, colour: 'yellow' }
    case 'promoted':
      return { at, text: `now critical${reason}`, colour: 'red' }
    case 'suppressed':
      return { at, text: `kept quiet${reason}`, colour: 'yellow' }
    case 'grouped':
      return { at, text: `told together${whom}${reason}` }
    case 'reassigned':
      return { at, text: `handed over by ${by}${whom}${reason}` }
    case 'note':
      return { at, text: `note by ${by}${reason}` }
    case 'resolved':
      return { at, text: `resolved by ${by}${via}${reason}`, colour: 'green' }
    default:
      return null
  }
}

/** The first step answers to nobody's silence, nor does one that a person asked for. */
function isAskedFor(step: Json, before: Json | undefined): boolean {
  if (field(step, 'step') === '1' && !(Number(step['repeat'] ?? 0) > 0)) return true
  if (!['', 'carillon'].includes(field(step, 'by'))) return true
  return before !== undefined && WANTED.includes(field(before, 'kind'))
}

/** Purposes that go without saying. */
const PLAIN = ['', 'page', 'message']
const UNDECIDED = ['pending', 'sending']

/**
 * What became of a delivery: `anna   sms  sent (captured)`; null while nothing did. A delivery does not say when it
 * was cancelled; the alert's timeline does, where the first entry after it is named like the reason.
 */
export function deliveryLine(delivery: Json, timeline: readonly Json[] = []): TimelineLine | null {
  const state = field(delivery, 'state')
  if (UNDECIDED.includes(state)) return null
  const createdAt = instantOf(delivery['created_at']) ?? 0
  const cause = timeline.find(
    (entry) => entry['kind'] === delivery['reason'] && (instantOf(entry['at']) ?? 0) >= createdAt,
  )
  const instants = [
    state === 'cancelled' ? cause?.['at'] : null,
    delivery['delivered_at'],
    delivery['sent_at'],
    delivery['created_at'],
  ].map(instantOf)
  const at = instants.find((instant) => instant !== undefined) ?? 0
  const whom = printable(field(delivery, 'user_id') || field(delivery, 'address'))
  const remark = captured(delivery) ? 'captured' : printable(field(delivery, 'reason'))
  // A notice that follows an acknowledgement is no page.
  const purpose = field(delivery, 'purpose')
  const what = PLAIN.includes(purpose) ? '' : `${printable(purpose)}  `
  const text = `${whom.padEnd(6)} ${field(delivery, 'channel')}  ${what}${state}${remark === '' ? '' : ` (${remark})`}`
  if (state === 'dead' || state === 'expired') return { at, text, colour: 'red' }
  return state === 'sent' || state === 'delivered' ? { at, text } : { at, text, colour: 'dim' }
}

const captured = (delivery: Json) =>
  delivery['captured'] === true || field(delivery, 'provider_id').startsWith('captured')

/** Whether every delivery has reached a named end, or has been handed over. */
export function allDecided(deliveries: readonly Json[]): boolean {
  return deliveries.every((delivery) => !UNDECIDED.includes(field(delivery, 'state')))
}

/** How waiting for an alert ends: somebody took it, or nobody is left to ask. Null while it goes on. */
export function alertEnd(alert: Json): 'answered' | 'unanswered' | null {
  if (['acknowledged', 'resolved'].includes(field(alert, 'status'))) return 'answered'
  const timeline = Array.isArray(alert['timeline']) ? alert['timeline'].filter(isObject) : []
  return timeline.at(-1)?.['kind'] === 'finished' ? 'unanswered' : null
}
