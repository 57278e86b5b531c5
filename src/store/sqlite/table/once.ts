import type { Database } from '../file/database.ts'

/**
 * 52 bits over the parts of an idempotency key, to find it by. Not secret and not unique: the row's own text is
 * compared as well. Two rounds of multiplication mix (MurmurHash's constants) over UTF-16 units.
 */
export function keyHash(...parts: readonly string[]): number {
  let low = 0x9747b28c
  let high = 0x5bd1e995
  for (const part of parts) {
    for (let index = 0; index < part.length; index++) {
      const unit = part.charCodeAt(index)
      low = Math.imul(low ^ unit, 0x85ebca6b)
      high = Math.imul(high ^ unit, 0xc2b2ae35)
      low ^= low >>> 15
      high ^= high >>> 13
    }
    // Keeps ('ab', 'c') apart from ('a', 'bc').
    low = Math.imul(low ^ 0x10001, 0x27d4eb2f)
    high = Math.imul(high ^ 0x10003, 0x165667b1)
  }
  low ^= high >>> 16
  high ^= low >>> 13
  return (high >>> 12) * 0x100000000 + (low >>> 0)
}

/** The writer's statements on idempotency keys. */
export function onceWrites(db: Database) {
  const find = db.prepare(`
    SELECT result FROM once
    WHERE hash = ? AND key = ? AND principal = ? AND tenant = ? AND expires_at > ?
    ORDER BY row DESC LIMIT 1`)
  const insert = db.prepare(
    'INSERT INTO once (hash, tenant, principal, key, expires_at, result) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const prune = db.prepare(
    'DELETE FROM once WHERE row IN (SELECT row FROM once WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)',
  )
  return {
    /** The result kept under the key, as JSON; the latest one when a key was kept without asking. */
    find(scope: OnceScope, at: number): string | null {
      const hash = keyHash(scope.tenant, scope.principal, scope.key)
      return (find.get(hash, scope.key, scope.principal, scope.tenant, at)?.[0] as string | undefined) ?? null
    },
    keep(scope: OnceScope, expiresAt: number, result: string): void {
      const hash = keyHash(scope.tenant, scope.principal, scope.key)
      insert.run(hash, scope.tenant, scope.principal, scope.key, expiresAt, result)
    },
    prune: (now: number, limit: number) => prune.run(now, limit).changes,
  }
}

export interface OnceScope {
  readonly tenant: string
  readonly principal: string
  readonly key: string
}
