import type { TenantId } from '../access/principal.ts'
import type { Directory, Team } from '../directory/directory.ts'
import type { Registry } from '../registry/registry.ts'
import { CALENDAR, OVERRIDE, TEMPORARY } from './duty-records.ts'
import type { Schedule } from './schedule.ts'

/** Schedules with all that was changed over the API, which counts from its commit on. */
export interface LiveSchedules {
  /** The same directory; its teams' schedules are as they stand at the moment of each look-up. */
  over(directory: Directory): Directory
  /** Calls after every change, and once for each that there is. */
  watch(changed: () => void): void
}

const KINDS = [OVERRIDE, TEMPORARY, CALENDAR]

/** A team keeps its schedule by identity as long as nothing of it changes. People who have left have no duty. */
export function createLiveSchedules(registry: Pick<Registry, 'list' | 'watch'>): LiveSchedules {
  let changes = 0
  const watchers: (() => void)[] = []
  for (const kind of KINDS)
    registry.watch<object>(kind, () => {
      changes++
      for (const changed of watchers) changed()
    })

  const liveTeam = (team: Team, directory: Directory): Team => {
    const live = withRecords(team, registry, (id) => directory.user(id)?.tenant === team.tenant)
    return live === team.schedule ? team : { ...team, schedule: live, members: membersOf(team, live) }
  }
  return {
    watch: (changed) => void watchers.push(changed),
    over(directory) {
      let known = { changes, teams: new WeakMap<Team, Team>() }
      const live = (team: Team): Team => {
        if (known.changes !== changes) known = { changes, teams: new WeakMap() }
        let over = known.teams.get(team)
        if (over === undefined) known.teams.set(team, (over = liveTeam(team, directory)))
        return over
      }
      const maybe = (team: Team | undefined) => team && live(team)
      return {
        ...directory,
        team: (tenant: TenantId, name: string) => maybe(directory.team(tenant, name)),
        teams: (tenant) => directory.teams(tenant).map(live),
        owner: (tenant, alertType) => maybe(directory.owner(tenant, alertType)),
      }
    },
  }
}

function withRecords(
  { tenant, name, schedule }: Team,
  registry: Pick<Registry, 'list'>,
  isHere: (user: string) => boolean,
): Schedule | null {
  const overrides = registry
    .list(OVERRIDE, tenant, name)
    .map(({ key, doc }) => ({ id: key, ...doc }))
    .filter(({ user, kind }) => kind === 'remove' || isHere(user))
  const temporary = registry.list(TEMPORARY, tenant, name).map(({ key, doc: { from, to, shifts } }) => ({
    id: key,
    from,
    to,
    shifts: shifts.filter(({ user }) => isHere(user)),
  }))
  const [imported] = registry.list(CALENDAR, tenant, name)
  if (overrides.length === 0 && temporary.length === 0 && imported === undefined) return schedule
  const base = schedule ?? { timezone: 'UTC', layers: [], overrides: [] }
  return {
    ...base,
    overrides: [...base.overrides, ...overrides],
    ...(temporary.length > 0 && { temporary }),
    ...(imported && { calendar: imported.doc.events.filter(({ user }) => isHere(user)) }),
  }
}

/**
 * Whoever an imported calendar gives duty belongs to the team, as those of its rotations do. A stand-in does not: that
 * would let any member make others members, for as long as they like.
 */
function membersOf({ members }: Team, live: Schedule | null): readonly string[] {
  return [...new Set([...members, ...(live?.calendar ?? []).map(({ user }) => user)])]
}
