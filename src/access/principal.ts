/** A tenant's id. A type of its own, so that no query forgets it. */
export type TenantId = string & { readonly __brand: 'TenantId' }

/** The one that is always there (contract section 2). */
export const DEFAULT_TENANT = 'default' as TenantId

/** Who did something: a person or a machine, as the connection proved it, never as a payload claims it. */
export interface Principal {
  readonly kind: 'user' | 'client'
  /** Unique over the whole installation, people and machines together (contract section 2). */
  readonly id: string
  readonly tenant: TenantId
  readonly roles: readonly Role[]
  /** Topic filters that may be published to, in addition to what the kind and the roles allow. */
  readonly publish: readonly string[]
  /** Topic filters that may be subscribed to, in addition to what the kind and the roles allow. */
  readonly subscribe: readonly string[]
  readonly rateLimit: RateLimit
  /** When the proof ends (a JWT's `exp`); the connection is closed then. */
  readonly expiresAt?: number
}

export const ROLES = ['user', 'ops', 'admin', 'service'] as const
export type Role = (typeof ROLES)[number]

export interface RateLimit {
  readonly maxRequests: number
  readonly windowMs: number
}

export const DEFAULT_RATE_LIMIT: RateLimit = { maxRequests: 1000, windowMs: 60_000 }

/** Whether the principal may see and steer everything of its tenant. */
export function isOperator(principal: Principal): boolean {
  return principal.roles.includes('admin') || principal.roles.includes('ops')
}
