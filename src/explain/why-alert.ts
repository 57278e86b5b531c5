import type { Alert, TimelineEntry } from '../alert/alert.ts'
import { pageTargets } from '../alert/paging/page-targets.ts'
import { whoIsAt } from '../alert/paging/paging.ts'
import { wasTold } from '../alert/outcome/told.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Directory, Person } from '../directory/directory.ts'
import { isGroupedBy } from '../noise/grouping/follow-leader.ts'
import type { Schedule } from '../oncall/schedule.ts'
import { onCall } from '../oncall/shifts.ts'
import { deliveryLinks, type Link } from './link.ts'

export interface AlertRows {
  readonly alert: Alert
  readonly timeline: readonly TimelineEntry[]
  /** Those to the person. */
  readonly deliveries: readonly Delivery[]
}

/** What stops pages or starts them anew. */
const TURNS: ReadonlySet<TimelineEntry['kind']> = new Set([
  'acknowledged',
  'unacknowledged',
  'snoozed',
  'returned',
  'promoted',
  'reassigned',
  'grouped',
  'escalated',
  'skipped',
  'finished',
  'resolved',
])

/** Why an alert did or did not page this person, in the order in which it was decided. Reads nothing else. */
export function whyAlert(directory: Directory, person: Person, rows: AlertRows): readonly Link[] {
  const { alert, timeline, deliveries } = rows
  const told = wasTold(alert, person.id)
  return [
    routeLink(alert),
    teamLink(alert),
    ...(alert.suppressedBy === null ? [] : [suppressionLink(alert)]),
    ...timeline.flatMap((entry) =>
      entry.kind === 'step'
        ? [stepLink(directory, alert, person, entry)]
        : TURNS.has(entry.kind)
          ? [turnLink(entry)]
          : [],
    ),
    audienceLink(directory, alert, person, told),
    ...(told ? channelLinks(directory, alert, person) : []),
    ...deliveryLinks(deliveries),
  ]
}

function routeLink({ origin, createdAt, severity, type, source }: Alert): Link {
  const { topic, principal, messageId } = origin
  const detail = { topic, publisher: principal, message_id: messageId, severity, type, source }
  return { stage: 'route', decision: 'accepted', code: 'routed', detail, at: createdAt }
}

function teamLink({ team, type }: Alert): Link {
  if (team === null) return { stage: 'team', decision: 'none', code: 'unowned', detail: { type } }
  return { stage: 'team', decision: team, code: 'owned', detail: { team, type } }
}

function suppressionLink(alert: Alert): Link {
  const { suppressedBy, status } = alert
  return {
    stage: 'suppression',
    decision: status,
    code: isGroupedBy(alert) ? 'grouped' : 'suppressed',
    detail: { suppressed_by: suppressedBy },
  }
}

function turnLink({ kind, by, via, text, users, at }: TimelineEntry): Link {
  const detail = {
    by,
    ...(via !== undefined && { via }),
    ...(text !== undefined && { text }),
    ...(users !== undefined && { users }),
  }
  return { stage: 'alert', decision: kind, code: kind, detail, at }
}

/** Who was paged is kept; which target stood for whom is looked up again for that instant. */
function stepLink(
  directory: Directory,
  alert: Alert,
  person: Person,
  { at, step = 0, repeat = 0, users = [] }: TimelineEntry,
): Link {
  const paged = users.includes(person.id)
  const targets = alert.policy.steps[step - 1]?.notify ?? []
  const whoIs = whoIsAt(directory, alert, at)
  const schedule = alert.team === null ? null : directory.team(alert.tenant, alert.team)?.schedule
  const duty = targets.some((target) => target.startsWith('oncall')) && schedule ? dutyOf(schedule, at) : null
  return {
    stage: 'step',
    decision: paged ? 'paged' : 'not_paged',
    code: paged ? 'policy_step' : 'not_a_target',
    detail: {
      step,
      repeat,
      users,
      targets,
      ...(paged && { by_target: targets.filter((target) => whoIs([target]).users.includes(person.id)) }),
      ...(duty && { on_call: duty }),
    },
    at,
    recomputed: true,
  }
}

/** Who was on call, and which changes for a limited time counted then. */
function dutyOf(schedule: Schedule, at: number) {
  const overrides = schedule.overrides.filter(({ from, to }) => from <= at && at < to)
  return { users: onCall(schedule, at), overrides: overrides.map(({ id }) => id) }
}

function audienceLink(directory: Directory, alert: Alert, person: Person, told: boolean): Link {
  const admin = directory.admins(alert.tenant).some(({ id }) => id === person.id)
  if (told)
    return {
      stage: 'audience',
      decision: 'in',
      code: 'told',
      detail: { channels: alert.told[person.id], admin },
    }
  const whoIs = whoIsAt(directory, alert, alert.createdAt)
  const steps = alert.policy.steps.flatMap(({ notify }, index) =>
    whoIs(notify).users.includes(person.id) ? [index + 1] : [],
  )
  const later = steps.find((step) => step > alert.step)
  return {
    stage: 'audience',
    decision: 'out',
    code: 'not_in_audience',
    detail:
      later === undefined
        ? { because: 'no_step_names_them' }
        : { because: 'step_not_reached', step: later, status: alert.status },
    recomputed: true,
  }
}

/** The person's contact rules and switches for an alert of this level. */
function channelLinks(directory: Directory, alert: Alert, person: Person): readonly Link[] {
  const admin = directory.admins(alert.tenant).some(({ id }) => id === person.id)
  const page = {
    level: alert.severity,
    step: null,
    repeat: 0,
    users: [person.id],
    because: 'policy_step',
    admins: admin ? [person.id] : [],
    webhooks: [],
    topics: [],
  } as const
  const [target] = pageTargets(page, () => person, alert.createdAt)
  if (!target) return []
  const own = (person.contactRules[alert.severity] ?? []).length > 0
  return [
    ...target.channels.map(({ channel, afterMs }): Link => ({
      stage: 'channel',
      decision: 'used',
      code: own ? 'contact_rule' : 'level',
      detail: { channel, after_ms: afterMs },
      recomputed: true,
    })),
    ...target.skipped.map(({ channel, reason }): Link => ({
      stage: 'channel',
      decision: 'left_out',
      code: reason,
      detail: { channel },
      recomputed: true,
    })),
  ]
}
