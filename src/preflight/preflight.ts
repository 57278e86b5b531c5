import type { TenantId } from '../access/principal.ts'
import { whoIsAt } from '../alert/paging/paging.ts'
import type { ChannelName } from '../delivery/delivery.ts'
import type { Directory, Person, Team } from '../directory/directory.ts'
import type { Shift } from '../oncall/schedule.ts'
import { gaps, shifts } from '../oncall/shifts.ts'

const DAY_MS = 24 * 60 * 60_000
/** How far ahead it looks. */
export const AHEAD_MS = 14 * DAY_MS
/** Gaps and people of one team that are named; more of the same tells nothing new. */
const MOST_PER_TEAM = 20

/** What would keep a critical page from reaching somebody. */
export interface Problem {
  readonly code:
    | 'schedule_gap'
    | 'unreachable'
    | 'unverified_contact'
    | 'unknown_person'
    | 'empty_team'
    | 'empty_step'
  readonly tenant: TenantId
  readonly team: string
  readonly user: string | null
  /** When it begins and ends; null for what lasts. */
  readonly from: number | null
  readonly to: number | null
  /** A sentence for operators; people by their ids. */
  readonly message: string
}

export interface PreflightInput {
  readonly directory: Directory
  /** Whether a channel could reach this person now; captured channels count. */
  readonly canReach: (person: Person, channel: ChannelName) => boolean
  /** How many addresses the person added and never verified. */
  readonly unverified: (person: Person) => number
  readonly now: number
}

/** Every problem of the next 14 days, of every tenant: what stands for nobody, and who could not be paged. Pure. */
export function preflight(input: PreflightInput): readonly Problem[] {
  const { directory } = input
  return directory
    .tenants()
    .flatMap((tenant) => directory.teams(tenant).flatMap((team) => problemsOf(team, input)))
}

/** What makes two problems the same over several looks: a gap that has begun is still the gap it was. */
export function problemKey({ code, tenant, team, user, to }: Problem): string {
  return [code, tenant, team, user ?? '', code === 'schedule_gap' ? (to ?? '') : ''].join(' ')
}

function problemsOf(team: Team, input: PreflightInput): readonly Problem[] {
  const { name, tenant, policy, schedule, members } = team
  const base = { tenant, team: name, user: null, from: null, to: null }
  const asked = policy.steps.flatMap(({ notify }) => notify)
  if (members.length === 0 && asked.length === 0)
    return [{ ...base, code: 'empty_team', message: `Team ${name} has neither members nor steps` }]
  const duties = schedule === null ? [] : shifts(schedule, input.now, input.now + AHEAD_MS)
  const needsDuty = asked.some((target) => target.startsWith('oncall'))
  return [
    ...(needsDuty ? gapsOf(team, input.now) : []),
    ...emptySteps(team, input),
    ...peopleOf(team, duties).flatMap((duty) => personProblems(team, duty, input)),
  ].slice(0, MOST_PER_TEAM * 3)
}

function gapsOf({ name, tenant, schedule }: Team, now: number): readonly Problem[] {
  const end = now + AHEAD_MS
  const found = schedule === null ? [{ from: now, to: end }] : gaps(schedule, now, end)
  return found.slice(0, MOST_PER_TEAM).map((gap) => ({
    ...gap,
    // A gap that goes on beyond what is looked at has no end to be known by.
    to: gap.to === end ? null : gap.to,
    code: 'schedule_gap' as const,
    tenant,
    team: name,
    user: null,
    message: `Nobody of team ${name} is on call from ${iso(gap.from)} ${gap.to === end ? 'on' : `to ${iso(gap.to)}`}`,
  }))
}

/** Steps whose targets stand for nobody, whoever is on call. */
function emptySteps(team: Team, { directory, now }: PreflightInput): readonly Problem[] {
  const whoIs = whoIsAt(directory, { tenant: team.tenant, team: team.name }, now)
  return team.policy.steps.flatMap(({ notify }, index) => {
    const lasting = notify.filter((target) => !target.startsWith('oncall'))
    const found = whoIs(lasting)
    const reached = found.users.length + found.webhooks.length + found.topics.length
    if (lasting.length < notify.length || reached > 0) return []
    const message = `Step ${index + 1} of team ${team.name} reaches nobody: ${notify.join(', ') || 'it names nobody'}`
    return [
      {
        code: 'empty_step' as const,
        tenant: team.tenant,
        team: team.name,
        user: `${index + 1}`,
        from: null,
        to: null,
        message,
      },
    ]
  })
}

interface Duty {
  readonly user: string
  readonly from: number | null
  readonly to: number | null
}

/** Everybody whom a page may be for, with their first duty. */
function peopleOf({ members }: Team, duties: readonly Shift[]): readonly Duty[] {
  const first = new Map<string, Duty>(members.map((user) => [user, { user, from: null, to: null }]))
  for (const duty of duties.toReversed()) first.set(duty.user, duty)
  return [...first.values()]
}

function personProblems(
  { name, tenant }: Team,
  duty: Duty,
  { directory, canReach, unverified }: PreflightInput,
): readonly Problem[] {
  const { user, from, to } = duty
  const when = from === null ? '' : ` (on call from ${iso(from)})`
  const base = { tenant, team: name, user, from, to }
  const person = directory.user(user)
  if (person?.tenant !== tenant) {
    return [{ ...base, code: 'unknown_person', message: `${user} of team ${name} is unknown${when}` }]
  }
  // A page in the app wakes nobody whose app is closed.
  const called = pagedOn(person).filter((channel) => channel !== 'realtime' && channel !== 'speech')
  const problems: Problem[] = []
  if (!called.some((channel) => canReach(person, channel))) {
    const message = `${user} of team ${name} cannot be paged on any of ${called.join(', ') || 'their channels'}${when}`
    problems.push({ ...base, code: 'unreachable', message })
  }
  const waiting = unverified(person)
  if (waiting > 0) {
    const message = `${user} of team ${name} has added ${waiting} address${waiting === 1 ? '' : 'es'} and not verified ${waiting === 1 ? 'it' : 'them'}`
    problems.push({ ...base, from: null, to: null, code: 'unverified_contact', message })
  }
  return problems
}

/** The channels of a critical page to this person (contract section 6). */
function pagedOn({ contactRules }: Person): readonly ChannelName[] {
  const own = (contactRules.critical ?? []).flatMap(({ via }) => via)
  return own.length > 0 ? [...new Set(own)] : ['email', 'sms', 'push']
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
