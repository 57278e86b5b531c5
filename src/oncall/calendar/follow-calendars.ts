import { tokenDigest } from '../../access/tokens.ts'
import type { Core } from '../../core.ts'
import { createOutgoing, type Download } from '../../delivery/outgoing/outgoing.ts'
import { durationMs } from '../../duration.ts'
import type { Team } from '../../directory/directory.ts'
import { CALENDAR, type CalendarRecord } from '../duty-records.ts'
import { readCalendar } from './read-calendar.ts'

/** Calendars elsewhere whose events are duties here (`schedule.ical_url`). */
export interface CalendarFollower {
  /** Other URLs, or other people, may be configured: reads every calendar now. */
  readonly refresh: () => void
  readonly stop: () => void
}

const WAIT_MS = 10_000
const LONGEST_MS = 30_000
const LONGEST_BYTES = 1024 * 1024
/** After a failure, unless the calendar is read more often anyway. */
const AGAIN_MS = 60_000

interface Followed {
  readonly team: Team
  readonly url: string
  readonly everyMs: number
}

/**
 * Fetches each calendar at its interval and takes it as a whole. One that cannot be fetched or read changes nothing: the
 * duties of the last good one stand, over restarts, and an operator alarm says so until the next good one. Requests go
 * where those of webhooks may go (security row 22), follow no redirect, and end after 30 s or 1 MB.
 */
export function createCalendarFollower(core: Core): CalendarFollower {
  const { clock, log } = core
  let round = new AbortController()
  const timers = new Map<string, () => void>()
  const end = () => {
    round.abort()
    for (const cancel of timers.values()) cancel()
    timers.clear()
  }
  const follow = async (followed: Followed, known: boolean, signal: AbortSignal) => {
    const cause = `calendar:${followed.team.name}`
    const trouble = await take(core, followed, known, signal).catch((error: unknown) => {
      log.error({ err: error, team: followed.team.name }, 'a followed calendar could not be stored')
      return 'it could not be stored'
    })
    if (signal.aborted) return
    if (trouble === null) core.operatorAlarm.over(cause)
    else
      core.operatorAlarm(
        cause,
        `The calendar of team ${followed.team.name} is not taken, its duties stay as they were: ${trouble}`,
      )
    const waitMs = trouble === null ? followed.everyMs : Math.min(followed.everyMs, AGAIN_MS)
    timers.set(
      cause,
      clock.at(clock.now() + waitMs, () => void follow(followed, trouble === null, signal)),
    )
  }
  return {
    refresh() {
      end()
      round = new AbortController()
      const all = followedBy(core)
      forget(core, all).catch((error: unknown) =>
        log.error({ err: error }, 'a calendar that is followed no more could not be removed'),
      )
      for (const followed of all) void follow(followed, false, round.signal)
    },
    stop: end,
  }
}

function followedBy(core: Core): readonly Followed[] {
  const directory = core.directory()
  return Object.entries(core.config().teams).flatMap(([name, { tenant, schedule }]) => {
    const found = directory.tenants().find((id) => id === tenant)
    const team = found && directory.team(found, name)
    if (team === undefined || schedule?.ical_url === undefined) return []
    return [{ team, url: schedule.ical_url, everyMs: durationMs(schedule.ical_every) }]
  })
}

/** What was followed and is not any more ends with its setting. */
async function forget({ registry, operatorAlarm }: Core, followed: readonly Followed[]): Promise<void> {
  for (const record of registry.all(CALENDAR)) {
    const { tenant, owner, doc } = record
    if (doc.followed === undefined) continue
    if (followed.some(({ team }) => team.tenant === tenant && team.name === owner)) continue
    await registry.remove(CALENDAR, record)
    operatorAlarm.over(`calendar:${owner}`)
  }
}

/** Resolves with null when the calendar is what was taken, else with why not. `known`: an unchanged one need not be read. */
async function take(
  core: Core,
  { team, url }: Followed,
  known: boolean,
  signal: AbortSignal,
): Promise<string | null> {
  const { registry } = core
  const place = { tenant: team.tenant, owner: team.name, key: 'calendar' }
  const before = registry.get(CALENDAR, place)?.doc
  const digest = Buffer.from(tokenDigest(url)).toString('hex')
  const etag = known && before?.followed?.digest === digest ? before.followed.etag : null
  const answer = await fetchCalendar(core, url, etag, signal)
  if (signal.aborted || (answer.kind === 'answer' && answer.status === 304 && etag !== null)) return null
  if (answer.kind !== 'answer') return troubleOf(answer)
  if (answer.status < 200 || answer.status >= 300) return `its server answered ${answer.status}`
  const timezone = team.schedule?.timezone ?? 'UTC'
  const read = readCalendar(answer.body.toString('utf8'), timezone, core.directory().users(team.tenant))
  if (!read.ok) return `line ${read.faults[0]?.line}: ${read.faults[0]?.message}`
  const record: CalendarRecord = {
    events: read.events,
    by: 'carillon',
    followed: { digest, etag: answer.etag },
  }
  if (JSON.stringify(record) !== JSON.stringify(before)) await registry.put(CALENDAR, place, record)
  return null
}

async function fetchCalendar(
  { clock, config }: Core,
  url: string,
  etag: string | null,
  signal: AbortSignal,
): Promise<Download> {
  const outgoing = createOutgoing({ allow: config().channels.webhook.allow })
  const late = new AbortController()
  const cancel = clock.at(clock.now() + LONGEST_MS, () => late.abort())
  let left = LONGEST_BYTES
  try {
    return await outgoing.get({
      url,
      signal: AbortSignal.any([signal, late.signal]),
      waitMs: WAIT_MS,
      room: (bytes) => (left -= bytes) >= 0,
      headers: { accept: 'text/calendar', ...(etag !== null && { 'if-none-match': etag }) },
    })
  } finally {
    cancel()
  }
}

function troubleOf(answer: Exclude<Download, { readonly kind: 'answer' }>): string {
  switch (answer.kind) {
    case 'refused':
      return answer.because
    case 'too_large':
      return 'it is over 1 MB'
    case 'failed':
      return `it could not be fetched (${answer.code})`
  }
}
