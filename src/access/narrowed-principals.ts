import type { Config } from '../config/schema.ts'
import type { Directory } from '../directory/directory.ts'

/** Who may connect, and with what. */
export interface Access {
  readonly config: Pick<Config, 'users' | 'clients'>
  readonly directory: Directory
}

/**
 * Who lost something by a new configuration: gone, another password or token, another tenant, a role or a grant less.
 * Their connections were let in under what does not hold any more (security rows 3 and 8). Who only gained is not
 * disturbed, and gets it with the next connection.
 */
export function narrowedPrincipals(before: Access, after: Access): string[] {
  const known = [...Object.keys(before.config.users), ...Object.keys(before.config.clients)]
  return known.filter((id) => isNarrowed(before, after, id))
}

function isNarrowed(before: Access, after: Access, id: string): boolean {
  const was = before.directory.principal(id)
  const is = after.directory.principal(id)
  if (!was) return false
  if (is?.kind !== was.kind || is.tenant !== was.tenant) return true
  return (
    proofOf(before, id) !== proofOf(after, id) ||
    lost(was.roles, is.roles) ||
    lost(was.publish, is.publish) ||
    lost(was.subscribe, is.subscribe)
  )
}

const proofOf = ({ config }: Access, id: string) => config.users[id]?.password ?? config.clients[id]?.token

const lost = (before: readonly string[], after: readonly string[]) =>
  before.some((each) => !after.includes(each))
