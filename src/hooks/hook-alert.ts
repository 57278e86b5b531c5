import { createHash } from 'node:crypto'
import type { AlertLevel } from '../alert/alert.ts'

/** What a message of another alerting program means here (contract section 8, behaviour E28). */
export interface HookAlert {
  readonly action: 'fire' | 'resolve' | 'acknowledge'
  readonly level: AlertLevel
  /** One level of a topic. */
  readonly type: string
  readonly message: string
  readonly source: string | null
  /** The same for the same condition. */
  readonly dedupKey: string
  readonly data: Readonly<Record<string, unknown>>
}

/** What the operator wrote into the URL of a hook, which wins over what the sender says. */
export interface HookWishes {
  readonly type?: string | undefined
  readonly severity?: AlertLevel | undefined
}

const LEVELS: Readonly<Record<string, AlertLevel>> = Object.fromEntries(
  (
    [
      ['critical', 'critical crit page error err fatal emergency emerg alert high urgent max disaster p1 p2'],
      ['warning', 'warning warn medium moderate minor average p3'],
      ['info', 'info information informational none low min notice debug ok p4 p5'],
    ] as const
  ).flatMap(([level, words]) => words.split(' ').map((word) => [word, level])),
)

/** The level that a sender's own word stands for; a warning where it is none that is known. */
export function levelOf(word: unknown): AlertLevel {
  const known = typeof word === 'string' ? word.trim().toLowerCase() : ''
  return Object.hasOwn(LEVELS, known) ? (LEVELS[known] ?? 'warning') : 'warning'
}

/** The first of the names that is one, made fit for a topic level. */
export function typeOf(...names: readonly unknown[]): string {
  for (const name of names) {
    if (typeof name !== 'string') continue
    const fit = name
      .trim()
      .replaceAll(/[^\p{L}\p{N}_.:-]+/gu, '_')
      .slice(0, 100)
    if (fit !== '' && fit !== '_') return fit
  }
  return 'alert'
}

/** The first that is a text with something in it. */
export function firstText(...values: readonly unknown[]): string | null {
  for (const value of values) if (typeof value === 'string' && value.trim() !== '') return value
  return null
}

const LONGEST_KEY = 255

/** A key of an alert by its sender; what is too long is told apart by its hash. */
export function keyOf(sender: string, key: string): string {
  const whole = `${sender}:${key}`
  if (whole.length <= LONGEST_KEY) return whole
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 32)
  return `${whole.slice(0, LONGEST_KEY - hash.length - 1)}#${hash}`
}

/** A key out of labels, whatever their order, for senders that give none. */
export function keyOfLabels(labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 32)
}
