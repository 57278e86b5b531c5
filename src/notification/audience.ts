import type { TenantId } from '../access/principal.ts'
import type { Directory, Person } from '../directory/directory.ts'
import { fault } from '../errors.ts'
import type { NotifyDecision } from './decision.ts'

/**
 * The people a notification is for, at the time of sending (R17, R21, R31). An unknown user or group is a fault; an
 * empty group is nobody. Somebody of another tenant counts as unknown.
 */
export function audienceOf(
  directory: Directory,
  tenant: TenantId,
  to: NotifyDecision['to'],
): readonly Person[] {
  if ('user' in to) {
    const person = directory.user(to.user)
    if (person === undefined || person.tenant !== tenant) {
      throw fault('publish.unknown_user', `There is no user ${JSON.stringify(to.user)}`, { user_id: to.user })
    }
    return [person]
  }
  if ('group' in to) return membersOf(directory, tenant, to.group)
  if (to.broadcast.length === 0) return directory.users(tenant)
  return [...new Set(to.broadcast.flatMap((group) => membersOf(directory, tenant, group)))]
}

function membersOf(directory: Directory, tenant: TenantId, group: string): readonly Person[] {
  const members = directory.group(tenant, group)
  if (members === undefined) {
    throw fault('publish.unknown_group', `There is no group ${JSON.stringify(group)}`, { group_id: group })
  }
  return members
}
