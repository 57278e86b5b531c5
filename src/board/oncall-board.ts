import type { TenantId } from '../access/principal.ts'
import type { Clock } from '../clock.ts'
import type { BoardPublish } from './board-publish.ts'

const PREFIX = 'state/oncall/'

/** Where the board learns who is on duty; asked at start, at each hand-off and after each `refresh`. */
export interface Duties {
  /** Every team of every tenant. */
  teams(): readonly { readonly name: string; readonly tenant: TenantId }[]
  /** Who is on call at an instant, the one who has the duty first, and until when (null: for ever); null when nobody is. */
  currentShift(
    team: string,
    tenant: TenantId,
    at: number,
  ): { readonly user: string; readonly users: readonly string[]; readonly to: number | null } | null
  /** Who is on call after that, and from when; null when no one else ever follows. */
  nextOnCall(
    team: string,
    tenant: TenantId,
    at: number,
  ): { readonly user: string; readonly from: number } | null
  /** What to call a person. */
  nameOf(user: string): string
}

export interface OncallBoard {
  refresh(): void
  tenantOf(topic: string): TenantId | undefined
  close(): void
}

/** Who is on call as retained messages, one per team; published on change only, at the instant of each hand-off. */
export function createOncallBoard(publish: BoardPublish, clock: Clock, duties: Duties): OncallBoard {
  const shown = new Map<string, { readonly tenant: TenantId; readonly payload: string }>()
  let cancel = () => {}

  const refresh = () => {
    cancel()
    const now = clock.now()
    let nextAt = Infinity
    const gone = new Set(shown.keys())
    for (const { name, tenant } of duties.teams()) {
      const topic = PREFIX + name
      const current = duties.currentShift(name, tenant, now)
      const next = duties.nextOnCall(name, tenant, now)
      // In a gap there is no end to wait for, only the next beginning.
      const handOffAt = (current ? current.to : next?.from) ?? Infinity
      nextAt = Math.min(nextAt, handOffAt)
      gone.delete(topic)
      const payload = JSON.stringify({
        team: name,
        user: current?.user ?? null,
        name: current ? duties.nameOf(current.user) : null,
        users: (current?.users ?? []).map((user) => ({ user, name: duties.nameOf(user) })),
        until: instant(Number.isFinite(handOffAt) ? handOffAt : null),
        next: next && { user: next.user, name: duties.nameOf(next.user), from: instant(next.from) },
      })
      if (shown.get(topic)?.payload === payload) continue
      shown.set(topic, { tenant, payload })
      publish(topic, payload, { retain: true })
    }
    for (const topic of gone) {
      publish(topic, '', { retain: true })
      shown.delete(topic)
    }
    // A hand-off that is not ahead would come round at once and for ever.
    if (nextAt < Infinity) cancel = clock.at(Math.max(nextAt, now + 1), refresh)
  }

  return {
    refresh,
    tenantOf: (topic) => shown.get(topic)?.tenant,
    close: () => cancel(),
  }
}

function instant(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
