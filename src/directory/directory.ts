import type { Principal, Role, TenantId } from '../access/principal.ts'
import type { EscalationPolicy } from '../alert/alert.ts'
import type { Recipient } from '../delivery/channel.ts'
import type { ChannelName } from '../delivery/delivery.ts'
import type { Device } from '../devices/device.ts'
import type { Schedule } from '../oncall/schedule.ts'

/** Everybody and everything that the configuration names: looked up on the hot path, so all of it is in memory. */
export interface Directory {
  user(id: string): Person | undefined
  /** People of one tenant, in the order of the file. */
  users(tenant: TenantId): readonly Person[]
  client(id: string): Machine | undefined
  /** The members of a group, or undefined when no person names it. */
  group(tenant: TenantId, name: string): readonly Person[] | undefined
  /** People with role `admin` in the tenant and those its `admins:` lists. */
  admins(tenant: TenantId): readonly Person[]
  team(tenant: TenantId, name: string): Team | undefined
  teams(tenant: TenantId): readonly Team[]
  /**
   * The team whose `alert_types` fit best: a literal name before a pattern, a longer pattern before a shorter one,
   * `*` last; among equals the first of the file.
   */
  owner(tenant: TenantId, alertType: string): Team | undefined
  /** The principal of a user or client, as connections of theirs get it. */
  principal(id: string): Principal | undefined
  tenants(): readonly TenantId[]
}

export interface Person extends Recipient {
  readonly tenant: TenantId
  readonly roles: readonly Role[]
  readonly groups: readonly string[]
  readonly customers: readonly string[]
  /** Absent: the person cannot log in with a password. Either plain (compared in constant time) or `scrypt$…`. */
  readonly password: string | undefined
  readonly preferences: Preferences
  readonly contactRules: ContactRules
  readonly quietHours: QuietHours | null
  /** Those of the configuration; absent for none. */
  readonly devices?: readonly Device[]
}

/** Checklist R19, R28. Defaults: realtime, email and push on, sms off. */
export interface Preferences {
  readonly realtime: boolean
  readonly email: boolean
  readonly sms: boolean
  readonly push: boolean
}

/** How a person wants to be paged, by alert level (contract section 2). */
export type ContactRules = Readonly<
  Partial<Record<'critical' | 'warning' | 'info' | 'default', readonly ContactRule[]>>
>

export interface ContactRule {
  readonly afterMs: number
  /** `app` of the configuration is `realtime` here. */
  readonly via: readonly ChannelName[]
}

export interface QuietHours {
  /** Minutes after midnight in the person's time zone. */
  readonly from: number
  readonly to: number
  readonly except: readonly string[]
}

export interface Machine {
  readonly id: string
  readonly tenant: TenantId
  /** SHA-256 of the token, so that comparing takes the same time for every token. */
  readonly tokenDigest: Uint8Array | undefined
  readonly roles: readonly Role[]
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
  readonly rateLimit: { readonly maxRequests: number; readonly windowMs: number }
}

export interface Team {
  readonly name: string
  readonly tenant: TenantId
  readonly alertTypes: readonly string[]
  readonly schedule: Schedule | null
  readonly policy: EscalationPolicy
  /** Everybody who appears in the schedule or as a `user:` target, in order of appearance. */
  readonly members: readonly string[]
}
