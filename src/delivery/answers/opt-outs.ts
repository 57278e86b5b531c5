import type { TenantId } from '../../access/principal.ts'
import type { Clock } from '../../clock.ts'
import type { Ids } from '../../ids.ts'
import { recordKind, type Registry } from '../../registry/registry.ts'

/** A number whose owner answered STOP (behaviour E19, security row 21). */
export interface OptOut {
  readonly id: string
  /** E.164. */
  readonly phone: string
  /** The people it belonged to when it was stopped. */
  readonly users: readonly string[]
  readonly at: number
}

const OPT_OUT = recordKind<Omit<OptOut, 'phone'>>('opt_out')

/** Numbers that get no SMS, by tenant; over restarts. Each change is in force as soon as it is committed. */
export interface OptOuts {
  has(tenant: TenantId, phone: string): boolean
  /** A number that is stopped already stays as it is. */
  stop(tenant: TenantId, phone: string, users: readonly string[]): Promise<void>
  start(tenant: TenantId, phone: string): Promise<void>
  /** In the order in which they came. */
  list(tenant: TenantId): readonly OptOut[]
  /** Ends one on an operator's word; false when there is none. The provider may keep a list of its own all the same. */
  lift(tenant: TenantId, id: string): Promise<boolean>
}

export function createOptOuts(registry: Registry, clock: Pick<Clock, 'now'>, ids: Ids): OptOuts {
  const placeOf = (tenant: TenantId, phone: string) => ({ tenant, owner: '', key: phone })
  const has = (tenant: TenantId, phone: string) => registry.get(OPT_OUT, placeOf(tenant, phone)) !== undefined
  return {
    has,
    async stop(tenant, phone, users) {
      if (has(tenant, phone)) return
      const at = clock.now()
      await registry.put(OPT_OUT, placeOf(tenant, phone), { id: ids.next(at), users, at })
    },
    async start(tenant, phone) {
      await registry.remove(OPT_OUT, placeOf(tenant, phone))
    },
    list: (tenant) => registry.list(OPT_OUT, tenant, '').map(({ key, doc }) => ({ ...doc, phone: key })),
    async lift(tenant, id) {
      const found = registry.list(OPT_OUT, tenant, '').find(({ doc }) => doc.id === id)
      return found !== undefined && registry.remove(OPT_OUT, placeOf(tenant, found.key))
    },
  }
}
