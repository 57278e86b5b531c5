import type { Draft } from '../notification/decision.ts'

/** Who is told what about a team's duty; times are shown in the schedule's own zone. */
export interface NoticeParts {
  readonly team: string
  readonly timezone: string
  /** Names of who is on now; empty in a gap. */
  readonly names: readonly string[]
  /** Until when; null for no end that is known. */
  readonly until: number | null
  /** The page of the team's duty reads it as data. */
  readonly users: readonly string[]
}

export type NoticeKind = 'on' | 'off' | 'told'

/** The words of a notice (behaviour E25). Only going on duty is more than for information. */
export function noticeOf(kind: NoticeKind, parts: NoticeParts): Draft {
  const { team, names, users, until } = parts
  const now = names.length === 0 ? 'Nobody is on call now.' : `On call now: ${names.join(', ')}.`
  const end = until === null ? '' : `Until ${shownAt(until, parts.timezone)}.`
  const words = {
    on: { title: `You are on call for ${team}`, message: end || 'Until further notice.' },
    off: { title: `You are off call for ${team}`, message: now },
    told: { title: `On call for ${team}`, message: [now, end].filter(Boolean).join(' ') },
  }[kind]
  return {
    ...words,
    type: 'oncall',
    category: 'oncall',
    priority: kind === 'on' ? 'high' : 'normal',
    data: { team, users, until: until === null ? null : new Date(until).toISOString() },
  }
}

function shownAt(at: number, timezone: string): string {
  const shown = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(at)
  return `${shown} (${timezone})`
}
