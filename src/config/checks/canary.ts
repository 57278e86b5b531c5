import { durationMs } from '../../duration.ts'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'
import { suggest } from '../suggest.ts'

/** A canary page has one person or team that exists, a channel to try, and arrives before the next one. */
export function checkCanary({ canary, users, teams }: Config): Finding[] {
  const { user, team, channels, every, within } = canary
  if (user === undefined && team === undefined && channels.length === 0) return []
  const one = (user === undefined) !== (team === undefined)
  return [
    ...(one ? [] : [{ path: ['canary'], message: 'name either a user or a team' }]),
    ...(user === undefined || Object.hasOwn(users, user)
      ? []
      : [
          {
            path: ['canary', 'user'],
            message: `unknown user "${user}"`,
            suggestion: suggest(user, Object.keys(users)),
          },
        ]),
    ...(team === undefined || Object.hasOwn(teams, team)
      ? []
      : [
          {
            path: ['canary', 'team'],
            message: `unknown team "${team}"`,
            suggestion: suggest(team, Object.keys(teams)),
          },
        ]),
    ...(channels.length > 0 ? [] : [{ path: ['canary', 'channels'], message: 'name at least one channel' }]),
    ...(durationMs(within) < durationMs(every)
      ? []
      : [{ path: ['canary', 'within'], message: 'must be shorter than `every`' }]),
  ]
}
