import type { TenantId } from '../../access/principal.ts'
import type { Config } from '../../config/schema/schema.ts'
import { fitsPattern } from '../../directory/alert-type.ts'
import { parseDuration } from '../../duration.ts'
import type { Ids } from '../../ids.ts'
import { namesOf } from '../../preferences/names.ts'
import type { Hold, Store } from '../../store/store.ts'
import type { DeliverWork } from '../attempt/deliver.ts'
import type { ChannelName, Delivery, Purpose } from '../delivery.ts'
import { cut } from '../message/text.ts'
import { fitsBudget, longestWindow, summaryDueAt, type Sent, type Window } from './budget.ts'

/** Budgets that nobody drew on for a while are read from the store again when they are needed. */
const MOST_BUDGETS = 10_000
/** A delivery may be sent long after it came to be; what was so late counts no more after a restart. */
const LATE_MS = 60 * 60_000
/** Of the value that keeps digests apart. */
const LONGEST_KEY = 200

/** What becomes of a delivery that is ready to go. */
export type Held =
  /** It goes; `failed` gives its place back when it did not. */
  | { readonly hold: null; readonly failed: () => void }
  /** It is held back, and a digest stands for it. */
  | { readonly hold: Hold; readonly reason: 'throttled' | 'digested' }

/**
 * Decides for each delivery whether it goes now or waits behind a summary: because its person has had enough messages
 * on that channel (`throttle`), or because messages of its event are gathered (`digests`). Counts are kept in memory
 * and read from the delivery rows after a start.
 */
export interface Holding {
  (work: DeliverWork, now: number): Promise<Held>
}

interface Budget {
  sent: Sent[]
  read: Promise<void> | null
}

/** Asked for by whoever gets them or an operator, and limited by themselves. */
const UNCOUNTED: ReadonlySet<Purpose> = new Set(['code', 'test', 'canary'])

const GOES: Held = { hold: null, failed: () => {} }

export function createHolding(deps: {
  readonly config: () => Pick<Config, 'throttle' | 'digests'>
  readonly store: Pick<Store, 'deliveries' | 'alert'>
  readonly ids: Ids
}): Holding {
  const budgets = new Map<string, Budget>()
  /** When the last message of a digest key went by itself. */
  const alone = new Map<string, number>()

  const budgetOf = async (key: string, delivery: Delivery, windowMs: number, now: number) => {
    let budget = budgets.get(key)
    if (!budget) {
      budget = { sent: [], read: null }
      const made = budget
      made.read = sentSince(deps.store, delivery, now - windowMs).then((sent) => {
        made.sent.push(...sent)
        made.read = null
      })
      made.read.catch(() => budgets.delete(key))
      const [oldest] = budgets.size >= MOST_BUDGETS ? budgets.keys() : []
      if (oldest !== undefined) budgets.delete(oldest)
    } else budgets.delete(key)
    budgets.set(key, budget)
    // Better one message too many than an attempt that ends here and looks like one whose effect is unknown.
    if (budget.read) await budget.read.catch(() => {})
    return budget
  }

  return async (work, now) => {
    const { delivery } = work
    const { userId, channel } = delivery
    if (userId === null || UNCOUNTED.has(delivery.purpose)) return GOES
    const gathered = digestOf(deps.config().digests, work)
    if (gathered) {
      const hold = holdIn(`digest ${gathered.key}`, delivery, now + gathered.windowMs, deps.ids.next(now))
      if (!gathered.firstAlone) return { hold, reason: 'digested' }
      const last = alone.get(gathered.key) ?? -Infinity
      if (last > now - gathered.windowMs) {
        return {
          hold: { ...hold, open: { ...hold.open, dueAt: last + gathered.windowMs } },
          reason: 'digested',
        }
      }
      if (alone.size >= MOST_BUDGETS) alone.clear()
      alone.set(gathered.key, now)
    }
    // Its next attempt is that of the first message still.
    const notAlone = () => {
      if (gathered && alone.get(gathered.key) === now) alone.delete(gathered.key)
    }
    const windows = windowsOf(deps.config().throttle, channel)
    if (windows.length === 0) return { hold: null, failed: notAlone }
    const key = [delivery.tenant, channel, userId].join(' ')
    const longest = longestWindow(windows)
    const budget = await budgetOf(key, delivery, longest, now)
    budget.sent = budget.sent.filter(({ at }) => at > now - longest)
    const criticalType = delivery.purpose === 'page' && delivery.critical ? (work.alert?.type ?? null) : null
    const summary = delivery.purpose === 'summary'
    const outcome = delivery.purpose === 'outcome'
    if (!summary && !fitsBudget(budget.sent, windows, { now, criticalType, outcome })) {
      const dueAt = summaryDueAt(budget.sent, windows, now)
      return { hold: holdIn(`throttle ${key}`, delivery, dueAt, deps.ids.next(now)), reason: 'throttled' }
    }
    const sent: Sent = { at: now, criticalType, summary, outcome }
    budget.sent.push(sent)
    return {
      hold: null,
      failed: () => {
        notAlone()
        budget.sent = budget.sent.filter((one) => one !== sent)
      },
    }
  }
}

function holdIn(key: string, delivery: Delivery, dueAt: number, id: string): Hold {
  const { channel, address, userId } = delivery
  if (userId === null) throw new Error('what goes to nobody in particular is not held')
  return { key, open: { id, channel, userId, address, dueAt } }
}

function windowsOf(throttle: Config['throttle'], channel: ChannelName): readonly Window[] {
  const pairs = channel === 'sms' || channel === 'voice' ? throttle[channel] : []
  return pairs.map(([count, window]) => ({ count, windowMs: parseDuration(window) ?? 0 }))
}

/** The digest that the configuration wants for this delivery; pages and critical messages are never gathered. */
function digestOf(
  rules: Config['digests'],
  { delivery, notification }: DeliverWork,
): { readonly key: string; readonly windowMs: number; readonly firstAlone: boolean } | null {
  if (notification === null || delivery.purpose !== 'message' || delivery.critical) return null
  const { content } = notification
  const names = namesOf(content)
  const index = rules.findIndex(
    (rule) => rule.channels.includes(delivery.channel) && names.some((name) => fitsPattern(name, rule.event)),
  )
  const rule = rules[index]
  if (!rule) return null
  const by = rule.by === undefined ? '' : cut(JSON.stringify(content.data[rule.by]) ?? '', LONGEST_KEY)
  return {
    key: [index, delivery.channel, delivery.userId, delivery.address, by].join(' '),
    windowMs: parseDuration(rule.window) ?? 0,
    firstAlone: rule.first === 'send',
  }
}

/** What went to this person on this channel, as the rows have it. */
async function sentSince(
  store: Pick<Store, 'deliveries' | 'alert'>,
  { tenant, userId, channel }: Delivery,
  since: number,
): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  if (userId === null) return sent
  for (const state of ['sent', 'delivered'] as const) {
    const query = { tenant, userId, channel, state, since: since - LATE_MS, limit: 100 }
    const { items } = await store.deliveries(query)
    for (const row of items) {
      if (row.sentAt === null || row.sentAt <= since || UNCOUNTED.has(row.purpose)) continue
      const page = row.purpose === 'page' && row.critical
      sent.push({
        at: row.sentAt,
        criticalType: page ? await typeOf(store, tenant, row.subjectId) : null,
        summary: row.purpose === 'summary',
        outcome: row.purpose === 'outcome',
      })
    }
  }
  return sent
}

async function typeOf(store: Pick<Store, 'alert'>, tenant: TenantId, id: string): Promise<string | null> {
  return (await store.alert(tenant, id))?.type ?? null
}
