import type { Alert, AlertGroup } from '../../alert/alert.ts'
import type { Config } from '../../config/schema/schema.ts'
import { cut, oneLine } from '../../delivery/message/text.ts'
import { HOLD, type Quiet } from '../quiet.ts'
import { isGroupedBy, followedBy, groupedBy } from './follow-leader.ts'
import { membershipOf, type Membership } from './group-rule.ts'

/**
 * Which alerts page together. Of each group one alert is the leader: its pages stand for all others, which wait
 * quietly as its followers. In memory; what has to survive is in the alerts: whom they follow, and of whom a leader's
 * pages have told.
 */
export interface Groups {
  /** An alert was opened or changed. */
  changed(alert: Alert): void
  /** Why the alert is to be quiet: it waits for others of its group, or another alert pages for it. Null: it pages. */
  quietOf(alert: Alert, now: number): Quiet | null
  /** Makes a draft the leader of its group; false when the group has one: ask `quietOf` again. */
  claim(draft: Alert, now: number): boolean
  /** The alert whose pages stand for this one, as it is now; undefined for none, or when it is over. */
  leaderOf(alert: Alert): Alert | undefined
  /** The open alerts for which this one pages. */
  followersOf(alert: Alert): readonly Alert[]
  /** What a page of this alert tells of its group, when it goes out now; null when it is in none. */
  toldBy(alert: Alert, now: number): AlertGroup | null
  /** When the next page may tell of what has joined or ended since the last one. */
  nextPageAt(leader: Alert, now: number): number
}

/** A group of more than this gets a second leader: its answer acts on each of them. */
const MOST_FOLLOWERS = 500
/** A draft that leads a group is stored by then, or never. */
const STORED_BY_MS = 10_000
/** Groups without a leader that are remembered; one that is forgotten pages sooner. */
const MOST_PAUSES = 10_000
/** What an alert is called in the pages of another. */
const LONGEST_NAME = 60

export function createGroups(
  rules: Config['grouping'],
  /** A follower of this leader was resolved, of which its pages had told. */
  ended: (leader: Alert) => void = () => {},
): Groups {
  const open = new Map<string, Alert>()
  const followers = new Map<string, Map<string, Alert>>()
  const leaders = new Map<string, { readonly id: string; readonly at: number }>()
  const ledBy = new Map<string, string>()
  /** When the last page of a group went out whose leader leads no more. */
  const pagedAt = new Map<string, number>()

  const leads = (alert: Alert | undefined) =>
    alert !== undefined && (alert.status === 'firing' || alert.suppressedBy === HOLD)
  /** Whoever leads the group, unless that is the alert itself. */
  const otherLeader = (name: string, alert: Alert, now: number) => {
    const leader = leaders.get(name)
    if (!leader || leader.id === alert.id) return null
    const known = open.get(leader.id)
    if (!leads(known) && now - leader.at >= STORED_BY_MS) return null
    return (followers.get(leader.id)?.size ?? 0) < MOST_FOLLOWERS ? { ...leader, alert: known } : null
  }
  const dueAt = (leader: Alert | undefined, { waitMs, intervalMs }: Membership, now: number) => {
    // One that is not stored yet, or that waits, pages before its followers look after themselves.
    if (!leader) return now + waitMs + intervalMs
    if (leader.status !== 'firing') return Math.max(leader.nextStepAt ?? 0, now + intervalMs) + intervalMs
    return Math.max((leader.group?.toldAt ?? leader.createdAt) + intervalMs, now + waitMs)
  }
  const follow = (
    leader: { readonly id: string; readonly alert: Alert | undefined },
    until: number | null,
  ) => {
    const named = leader.alert ? `${leader.alert.type} of ${leader.alert.source ?? '-'}` : leader.id
    return { by: groupedBy(leader.id), until, text: `Grouped: ${named} pages for it` }
  }
  const wait = (until: number): Quiet => ({ by: HOLD, until, text: 'Waits for others of its group' })

  const join = (alert: Alert, member: Membership, now: number): Quiet | null => {
    const other = otherLeader(member.name, alert, now)
    if (other) return follow(other, dueAt(other.alert, member, now))
    if (open.has(alert.id)) leaders.set(member.name, { id: alert.id, at: now })
    const waited = alert.createdAt + member.waitMs
    const until = Math.max(waited, (pagedAt.get(member.name) ?? -Infinity) + member.intervalMs)
    return now < until ? wait(until) : null
  }
  /** Of an alert that another one pages for. */
  const stay = (alert: Alert, leader: Alert | undefined, member: Membership, now: number): Quiet | null => {
    const told = leader?.group?.alerts.some(({ id }) => id === alert.id) ?? false
    const pages = leads(leader)
    // Whoever has the leader in hand has all of which its pages told.
    if (leader && told && (pages || leader.status === 'acknowledged' || leader.status === 'snoozed'))
      return follow({ id: leader.id, alert: leader }, null)
    const due = alert.nextStepAt
    if (leader && pages) {
      // What nobody was told of in time tells of itself.
      if (due !== null && now >= due) return null
      return follow({ id: leader.id, alert: leader }, due ?? dueAt(leader, member, now))
    }
    const other = otherLeader(member.name, alert, now)
    if (other) return follow(other, dueAt(other.alert, member, now))
    leaders.set(member.name, { id: alert.id, at: now })
    // Its people were told of it, and it may be over in a moment as well.
    const until = due ?? now + member.intervalMs
    return now < until ? wait(until) : null
  }

  const forget = (alert: Alert) => {
    const of = followedBy(alert)
    if (of === null) return
    const all = followers.get(of)
    all?.delete(alert.id)
    if (all?.size === 0) followers.delete(of)
  }
  const lead = (alert: Alert) => {
    const name = leads(alert) ? membershipOf(alert, rules)?.name : undefined
    const led = ledBy.get(alert.id)
    if (led !== undefined && led !== name) {
      ledBy.delete(alert.id)
      if (leaders.get(led)?.id === alert.id) leaders.delete(led)
      if (pagedAt.size >= MOST_PAUSES) pagedAt.clear()
      if (alert.group) pagedAt.set(led, alert.group.toldAt)
    }
    if (name === undefined) return
    const leader = leaders.get(name)
    if (leader && leader.id !== alert.id && leads(open.get(leader.id))) return
    leaders.set(name, { id: alert.id, at: alert.lastAt })
    ledBy.set(alert.id, name)
  }

  return {
    changed(alert) {
      const known = open.get(alert.id)
      if (known) forget(known)
      if (alert.status === 'resolved') open.delete(alert.id)
      else open.set(alert.id, alert)
      const of = alert.status === 'resolved' ? null : followedBy(alert)
      if (of !== null) {
        const all = followers.get(of) ?? new Map<string, Alert>()
        followers.set(of, all.set(alert.id, alert))
      }
      if (rules.length > 0) lead(alert)
      const was = known && followedBy(known)
      const leader = was == null ? undefined : open.get(was)
      if (alert.status === 'resolved' && leader) ended(leader)
    },
    quietOf(alert, now) {
      const member = membershipOf(alert, rules)
      if (member === null) return null
      const known = open.get(alert.id)
      if (known === undefined) return join(alert, member, now)
      // What pages already, or somebody has in hand, goes its own way.
      if (alert.status !== 'suppressed') return null
      if (isGroupedBy(alert)) return stay(alert, open.get(followedBy(alert) ?? ''), member, now)
      if (alert.suppressedBy !== HOLD) return join(alert, member, now)
      if (alert.nextStepAt !== null && now < alert.nextStepAt) return wait(alert.nextStepAt)
      return leaders.get(member.name)?.id === alert.id ? null : join(alert, member, now)
    },
    claim(draft, now) {
      const member = membershipOf(draft, rules)
      if (member === null) return true
      if (otherLeader(member.name, draft, now)) return false
      leaders.set(member.name, { id: draft.id, at: now })
      return true
    },
    leaderOf: (alert) => open.get(followedBy(alert) ?? ''),
    followersOf: ({ id }) => [...(followers.get(id)?.values() ?? [])],
    toldBy(alert, now) {
      const following = [...(followers.get(alert.id)?.values() ?? [])]
      if (following.length === 0 && !alert.group && membershipOf(alert, rules) === null) return null
      return {
        alerts: following.map(({ id, type, source }) => ({
          id,
          name: cut(oneLine(source === null ? type : `${type} of ${source}`), LONGEST_NAME),
        })),
        toldAt: now,
      }
    },
    nextPageAt(leader, now) {
      const member = membershipOf(leader, rules)
      return Math.max(now, (leader.group?.toldAt ?? now) + (member?.intervalMs ?? 0))
    },
  }
}
