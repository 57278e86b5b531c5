import type { TenantId } from '../access/principal.ts'
import type { Directory } from '../directory/directory.ts'
import { currentShift, nextShift } from '../oncall/shifts.ts'
import type { Duties } from './oncall-board.ts'

/** Who is on duty, in the board's terms, as the directory of that moment has it. */
export function dutiesOf(directory: () => Directory): Duties {
  const scheduleOf = (team: string, tenant: TenantId) => directory().team(tenant, team)?.schedule ?? null
  return {
    teams: () =>
      directory()
        .tenants()
        .flatMap((tenant) => directory().teams(tenant)),
    currentShift(team, tenant, at) {
      const schedule = scheduleOf(team, tenant)
      return schedule && currentShift(schedule, at)
    },
    nextOnCall(team, tenant, at) {
      const schedule = scheduleOf(team, tenant)
      return schedule && nextShift(schedule, at)
    },
    nameOf: (user) => directory().user(user)?.name ?? user,
  }
}
