import { durationMs } from '../duration.ts'
import { WEEKDAYS } from '../config/schema/duty.ts'
import { channelsOf } from './channels-of.ts'
import type { EscalationPolicy, EscalationStep, TimeWindow } from '../alert/alert.ts'
import type { Config } from '../config/schema/schema.ts'

type TeamSettings = Config['teams'][string]
type StepSettings = TeamSettings['escalation']['steps'][number]

/** The escalation policy of a team as alerts copy it: durations in milliseconds, windows in minutes of its zone. */
export function policyOf({ escalation, schedule }: TeamSettings): EscalationPolicy {
  const { steps, repeat, ack_timeout, ack_reminder, acks_required, fallback } = escalation
  const { resolve_at_end, auto_resolve } = escalation
  return {
    steps: steps.map(stepOf),
    repeat,
    ackTimeoutMs: ack_timeout === undefined ? null : durationMs(ack_timeout),
    ...(ack_reminder !== undefined && { ackReminderMs: durationMs(ack_reminder) }),
    ...(acks_required !== undefined && { acksRequired: acks_required }),
    ...(fallback && { fallback }),
    ...(resolve_at_end === true && { resolveAtEnd: true }),
    ...(auto_resolve !== undefined && { autoResolveMs: durationMs(auto_resolve) }),
    staleAfterMs: durationMs(escalation.stale_after),
    timezone: schedule?.timezone ?? 'UTC',
  }
}

function stepOf(step: StepSettings): EscalationStep {
  const { notify, wait, channels, if_more_than: more, acks_required } = step
  const window = windowOf(step)
  return {
    notify,
    waitMs: durationMs(wait),
    ...(channels && { channels: channelsOf(channels) }),
    ...(window && { window }),
    ...(more && { ifMoreThan: { count: more.count, withinMs: durationMs(more.within) } }),
    ...(acks_required !== undefined && { acksRequired: acks_required }),
  }
}

function windowOf({ between, weekdays }: StepSettings): TimeWindow | null {
  if (between === undefined && weekdays === undefined) return null
  const [from = 0, to = 24 * 60] = (between ?? '00:00-24:00').split('-').map(minutesOf)
  return { from, to, weekdays: (weekdays ?? WEEKDAYS).map((day) => WEEKDAYS.indexOf(day) + 1) }
}

function minutesOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))
}
