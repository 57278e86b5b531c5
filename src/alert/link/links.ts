import type { Principal } from '../../access/principal.ts'
import type { Core } from '../../core.ts'
import type { Delivery } from '../../delivery/delivery.ts'
import type { Person } from '../../directory/directory.ts'
import { Fault } from '../../errors.ts'
import { deliveriesOf } from '../../store/deliveries-of.ts'
import type { Alert, TimelineEntry } from '../alert.ts'
import { commandOnce } from '../change/commanding.ts'
import { readLink, signLink, type LinkKeys } from './link-token.ts'

/** What the page of a link offers. */
export const LINK_VERBS = ['ack', 'escalate', 'snooze', 'resolve'] as const
export type LinkVerb = (typeof LINK_VERBS)[number]

/** What a link leads to. */
export type LinkView =
  | { readonly kind: 'open'; readonly alert: Alert; readonly person: Person }
  /** It was ours; signing in leads to the alert. */
  | { readonly kind: 'expired'; readonly alertId: string }
  /** Not ours, or nothing and nobody is behind it any more. */
  | { readonly kind: 'unknown' }

/** What a press of a button came to. */
export type LinkAnswer =
  | Exclude<LinkView, { readonly kind: 'open' }>
  | {
      readonly kind: 'acted'
      /** As it is now. */
      readonly alert: Alert
      readonly person: Person
      readonly verb: LinkVerb
      /** False when nothing was left to do: it was so already, or this button was pressed before. */
      readonly anew: boolean
      /** The last time that somebody did it; null when nobody did. */
      readonly last: TimelineEntry | null
    }
  | { readonly kind: 'refused'; readonly alert: Alert; readonly person: Person; readonly why: string }

/** Signed links to alerts, one for every page of a person (contract section 6, security row 24). */
export interface AlertLinks {
  /** Where the recipient of this page acts on it without signing in; null for what is no page of a person. */
  urlOf(delivery: Delivery): string | null
  /** What the link shows. Changes nothing: programs that look into mails follow links. */
  open(token: string): Promise<LinkView>
  /** Acts in the recipient's name, each verb once per link. Resolves after the commit. */
  act(token: string, verb: LinkVerb): Promise<LinkAnswer>
}

/** How long a link opens anything; shorter where the alert ends before. */
const LIFE_MS = 24 * 60 * 60_000
const SNOOZE_MS = 60 * 60_000

/** What the timeline calls each verb. */
const ENTRY_OF = {
  ack: 'acknowledged',
  escalate: 'escalated',
  snooze: 'snoozed',
  resolve: 'resolved',
} as const satisfies Record<LinkVerb, TimelineEntry['kind']>

interface Recipient {
  readonly alert: Alert
  readonly person: Person
  readonly principal: Principal
  readonly deliveryId: string
}

export function createLinks(core: Core, keys: LinkKeys): AlertLinks {
  const recipientOf = async (token: string): Promise<Recipient | Exclude<LinkView, { kind: 'open' }>> => {
    const reading = readLink(token, keys, core.clock.now())
    if (reading.kind === 'forged') return { kind: 'unknown' }
    const { alertId, ordinal } = reading.claims
    if (reading.kind === 'expired') return { kind: 'expired', alertId }
    for (const tenant of core.directory().tenants()) {
      const alert = await core.store.alert(tenant, alertId)
      if (alert === null) continue
      const page = (await deliveriesOf(core.store, tenant, alertId)).find((row) => row.ordinal === ordinal)
      const { userId = null } = page ?? {}
      const person = userId === null ? undefined : core.directory().user(userId)
      const principal = userId === null ? undefined : core.directory().principal(userId)
      if (!page || !person || !principal || person.tenant !== tenant) return { kind: 'unknown' }
      return { alert, person, principal, deliveryId: page.id }
    }
    return { kind: 'unknown' }
  }

  return {
    urlOf({ purpose, userId, subjectId, ordinal, createdAt }) {
      if (purpose !== 'page' || userId === null) return null
      // From when the page came to be: a page that is tried again says the same.
      const token = signLink({ alertId: subjectId, ordinal, expiresAt: createdAt + LIFE_MS }, keys)
      return token && `${core.publicUrl().replace(/\/+$/, '')}/a/${token}`
    },
    async open(token) {
      const found = await recipientOf(token)
      return 'kind' in found ? found : { kind: 'open', alert: found.alert, person: found.person }
    },
    async act(token, verb) {
      const found = await recipientOf(token)
      if ('kind' in found) return found
      const { alert, person, principal, deliveryId } = found
      const decision = {
        kind: 'alert-command',
        alertId: alert.id,
        verb,
        ...(verb === 'snooze' && { forMs: SNOOZE_MS }),
      } as const
      const once = `link:${deliveryId}:${verb}`
      try {
        const done = await commandOnce(core, decision, { principal, via: 'link', once })
        const timeline = await core.store.timeline(alert.tenant, alert.id)
        const last = timeline.findLast(({ kind }) => kind === ENTRY_OF[verb]) ?? null
        return { kind: 'acted', alert: done.alert, person, verb, anew: done.anew, last }
      } catch (error) {
        if (!(error instanceof Fault) || !error.code.startsWith('alert.')) throw error
        const now = (await core.store.alert(alert.tenant, alert.id)) ?? alert
        return { kind: 'refused', alert: now, person, why: error.message }
      }
    },
  }
}
