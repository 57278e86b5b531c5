import type { TenantId } from '../access/principal.ts'
import { tokenDigest } from '../access/tokens.ts'
import type { Person } from '../directory/directory.ts'
import { randomLetters } from '../ids.ts'
import type { Registered, Registry } from '../registry/registry.ts'
import { FEED, type FeedRecord } from './duty-records.ts'

/** 141 bits: nobody finds one by trying. */
const SECRET_LETTERS = 30

/**
 * Secret addresses under which calendar programs, which cannot send a header, read a team's shifts: one per person and
 * team, good for nothing else, and kept as a digest only.
 */
export interface Feeds {
  /** A new secret in place of the one before; resolves after the commit. It cannot be shown again. */
  create(person: Person, team: string): Promise<string>
  /** From the commit on the secret opens nothing. Resolves with whether there was one. */
  revoke(person: Person, team: string): Promise<boolean>
  /** Whose feed of which team a secret opens. */
  find(
    secret: string,
  ): { readonly tenant: TenantId; readonly user: string; readonly team: string } | undefined
}

export function createFeeds(registry: Pick<Registry, 'put' | 'remove' | 'watch'>): Feeds {
  const byDigest = new Map<string, Registered<FeedRecord>>()
  registry.watch(FEED, (now, before) => {
    if (before) byDigest.delete(before.doc.digest)
    if (now) byDigest.set(now.doc.digest, now)
  })
  const placeOf = ({ tenant, id }: Person, team: string) => ({ tenant, owner: id, key: team })
  return {
    async create(person, team) {
      const secret = randomLetters(SECRET_LETTERS)
      await registry.put(FEED, placeOf(person, team), { digest: digestOf(secret) })
      return secret
    },
    revoke: (person, team) => registry.remove(FEED, placeOf(person, team)),
    find(secret) {
      const feed = byDigest.get(digestOf(secret))
      return feed && { tenant: feed.tenant, user: feed.owner, team: feed.key }
    },
  }
}

function digestOf(secret: string): string {
  return Buffer.from(tokenDigest(secret)).toString('hex')
}
