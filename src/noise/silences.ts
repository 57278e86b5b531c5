import { isOperator, type Principal, type TenantId } from '../access/principal.ts'
import type { Alert } from '../alert/alert.ts'
import type { Core } from '../core.ts'
import { fault } from '../errors.ts'
import type { Registered } from '../registry/registry.ts'
import { endOf, LONGEST_CRITICAL_MS, matches, SILENCE, type AlertMatch, type Silence } from './silence.ts'

/** A silence with what it has hidden so far. */
export interface ListedSilence extends Silence {
  readonly id: string
  readonly active: boolean
  readonly hidden: { readonly count: number; readonly alertIds: readonly string[] }
}

/** What somebody asks to be silenced. */
export type SilenceWish = Pick<Silence, 'match' | 'reason' | 'until'>

/** What people keep quiet, by tenant; over restarts (contract section 6, behaviour A8). */
export interface Silences {
  /** Those that are in force and those that ended in the last seven days, oldest first. */
  list(tenant: TenantId): Promise<readonly ListedSilence[]>
  /** The open alerts that it would be about; creates nothing. Refuses what `create` refuses. */
  preview(by: Principal, wish: SilenceWish): readonly Alert[]
  /** In force when it resolves: firing alerts that it is about page no more. Faults: `request.invalid`, `alert.forbidden`. */
  create(by: Principal, wish: SilenceWish): Promise<ListedSilence>
  /** Ends it now: what it hid and is still open starts from its first step. False when there is none in force. */
  end(by: Principal, id: string): Promise<boolean>
}

/** More ids than anybody reads; the count is of all. */
const MOST_IDS = 100

export function createSilences(core: Core): Silences {
  const { registry, clock } = core
  const openOf = (tenant: TenantId, match: AlertMatch) =>
    [...core.openAlerts.all()].filter((alert) => alert.tenant === tenant && matches(match, alert))
  const listed = async ({ tenant, key, doc }: Registered<Silence>): Promise<ListedSilence> => ({
    ...doc,
    id: key,
    active: clock.now() < endOf(doc),
    hidden: await core.store.referring(tenant, `silence:${key}`, MOST_IDS),
  })
  return {
    list: (tenant) => Promise.all(registry.list(SILENCE, tenant, '').map(listed)),
    preview(by, wish) {
      allow(core, by, wish)
      return openOf(by.tenant, wish.match)
    },
    async create(by, { match, reason, until }) {
      allow(core, by, { match, reason, until })
      const now = clock.now()
      const place = { tenant: by.tenant, owner: '', key: core.ids.next(now) }
      const silence = await registry.put(
        SILENCE,
        place,
        { match, reason, until, owner: by.id, createdAt: now },
        0,
      )
      await core.reconsider(openOf(by.tenant, match))
      return listed(silence)
    },
    async end(by, id) {
      const place = { tenant: by.tenant, owner: '', key: id }
      const silence = registry.get(SILENCE, place)
      const now = clock.now()
      if (!silence || now >= endOf(silence.doc)) return false
      if (silence.doc.owner !== by.id) allowMatch(core, by, silence.doc.match)
      await registry.put(SILENCE, place, { ...silence.doc, ended: { at: now, by: by.id } }, silence.version)
      const hidden = `silence:${id}`
      await core.reconsider([...core.openAlerts.all()].filter((alert) => alert.suppressedBy === hidden))
      return true
    },
  }
}

function allow(core: Core, by: Principal, { match, until }: SilenceWish): void {
  const now = core.clock.now()
  if (Object.values(match).every((value) => value === undefined))
    throw fault('request.invalid', 'Name at least one of type, source, severity, team', { field: 'match' })
  if (match.team !== undefined && !core.directory().team(by.tenant, match.team))
    throw fault('request.invalid', `There is no team ${JSON.stringify(match.team)}`, { field: 'match' })
  if (until <= now) throw fault('request.invalid', '`until` has passed', { field: 'until' })
  const critical = match.severity === undefined || match.severity === 'critical'
  if (critical && until > now + LONGEST_CRITICAL_MS)
    throw fault(
      'request.invalid',
      'Critical alerts are silenced for 24 hours at most; set `match.severity` to warning or info for longer',
      { field: 'until' },
    )
  allowMatch(core, by, match)
}

/** Operators may silence everything, people what their own teams own (contract section 3). */
function allowMatch(core: Core, by: Principal, { team, type }: AlertMatch): void {
  if (isOperator(by)) return
  const directory = core.directory()
  // A pattern may reach into what another team owns.
  const owner =
    team !== undefined
      ? directory.team(by.tenant, team)
      : type !== undefined && !type.includes('*')
        ? directory.owner(by.tenant, type)
        : undefined
  if (by.kind === 'user' && owner?.members.includes(by.id)) return
  throw fault(
    'alert.forbidden',
    'Name a team of yours in `match.team`, or one alert type that it owns in `match.type`',
  )
}
