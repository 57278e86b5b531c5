import { isDeepStrictEqual } from 'node:util'
import type { Directory } from '../directory/directory.ts'

/**
 * Who of `ids` must not go on with a connection made before a change of the configuration: everybody who is gone, who
 * has other credentials, or whose roles, groups, tenant or grants are others now (security rows 3 and 8). A new name
 * or address, or another rate limit, cuts nobody off.
 */
export function withdrawn(ids: Iterable<string>, before: Directory, after: Directory): readonly string[] {
  return [...ids].filter((id) => !isDeepStrictEqual(accessOf(before, id), accessOf(after, id)))
}

function accessOf(directory: Directory, id: string) {
  const principal = directory.principal(id)
  if (!principal) return null
  const { kind, tenant, roles, publish, subscribe } = principal
  const person = directory.user(id)
  const proof = person ? person.password : directory.client(id)?.tokenDigest
  return { kind, tenant, roles, publish, subscribe, groups: person?.groups, proof }
}
