import type { Config } from '../config/schema/schema.ts'
import type { Directory } from '../directory/directory.ts'
import { sameDigest } from './tokens.ts'

/**
 * Finds a machine by its token's digest. The digest of a random token is itself unguessable, so that looking it up
 * in a map tells nobody anything; the comparison still is one of constant time. Made anew for every new directory.
 */
export function machineIndex(directory: () => Directory, config: () => Pick<Config, 'clients'>) {
  let of: { readonly directory: Directory; readonly ids: ReadonlyMap<string, string> } | undefined
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  return (digest: Uint8Array): string | undefined => {
    const current = directory()
    if (of?.directory !== current) {
      const ids = new Map<string, string>()
      for (const id of Object.keys(config().clients)) {
        const known = current.client(id)?.tokenDigest
        if (known !== undefined) ids.set(hex(known), id)
      }
      of = { directory: current, ids }
    }
    const id = of.ids.get(hex(digest))
    const known = id === undefined ? undefined : current.client(id)?.tokenDigest
    return known !== undefined && sameDigest(known, digest) ? id : undefined
  }
}
