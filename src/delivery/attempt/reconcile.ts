import type { Clock } from '../../clock.ts'
import type { Store } from '../../store/store.ts'
import type { Channel, Finding, OutgoingMessage } from '../channel.ts'
import { budgetOf, end, ended, UNKNOWN, unsent, type Attempted } from './concluded.ts'
import type { DeliverWork } from './deliver.ts'
import type { Delivery } from '../delivery.ts'
import { isOverBudget, nextAttempt, PROVIDER_DOWN, SEND_TIMEOUT_MS } from './retry.ts'

/** What was sent may have come to be long before. */
const LATE_MS = 60 * 60_000
const ROWS_AT_ONCE = 200

export interface ReconcileDeps {
  readonly clock: Clock
  readonly random: () => number
  /** What the channel's provider gave as ids to this person's other messages about that time; absent, nothing is known. */
  readonly providerIds?: ((delivery: Delivery, since: number) => Promise<ReadonlySet<string>>) | undefined
}

/**
 * Asks the provider about the newest attempt, where nobody knows whether it was taken (promise P9): the settlement when
 * it was, or when there is no answer yet; null when there is nothing to ask or the message has to be sent (again). What
 * gets no answer within the budget of the delivery ends `dead`, reason `ambiguous`.
 */
export async function reconciled(
  work: DeliverWork,
  { channel, message }: { readonly channel: Channel; readonly message: () => OutgoingMessage },
  deps: ReconcileDeps,
): Promise<Attempted | null> {
  const { delivery, last } = work
  if (last?.outcome !== 'unknown' || !channel.find) return null
  const askedAt = deps.clock.now()
  const finding = await ask(channel, { message: message(), delivery, since: last.startedAt }, deps)
  const now = deps.clock.now()
  if (finding.kind === 'taken') {
    const { providerId } = finding
    const { number } = last
    const found = { number, startedAt: askedAt, endedAt: now, provider: channel.provider ?? channel.name }
    const attempts = [{ ...found, outcome: 'sent', code: 'reconciled', providerId, uncounted: true }] as const
    const sent = { ...end('sent', null), providerId, sentAt: last.endedAt ?? last.startedAt }
    return { settlement: { ...ended(work, sent, now), untried: true, attempts }, provider: { sign: 'well' } }
  }
  if (finding.kind === 'not_taken') {
    const { maxAttempts, attempts, error } = delivery
    const spent = maxAttempts > 0 && attempts > maxAttempts
    return spent ? unsent(work, end('dead', 'attempts_exhausted', error), now) : null
  }
  return unanswered(work, finding.failed, { now, random: deps.random })
}

async function ask(
  channel: Channel,
  {
    message,
    delivery,
    since,
  }: { readonly message: OutgoingMessage; readonly delivery: Delivery; readonly since: number },
  { clock, providerIds }: ReconcileDeps,
): Promise<Finding> {
  const abort = new AbortController()
  const cancel = clock.at(clock.now() + SEND_TIMEOUT_MS, () => abort.abort())
  try {
    const others = (await providerIds?.(delivery, since)) ?? new Set()
    return (await channel.find?.({ message, since, others }, abort.signal)) ?? { kind: 'not_taken' }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'unanswered', failed: { ok: false, retry: true, code: 'store_failed', reason } }
  } finally {
    cancel()
  }
}

function unanswered(
  work: DeliverWork,
  { code, reason, retryAfterMs }: Extract<Finding, { readonly kind: 'unanswered' }>['failed'],
  { now, random }: { readonly now: number; readonly random: () => number },
): Attempted {
  const { attempts: attempt, critical } = work.delivery
  const error = `${code}: ${reason}`
  const budget = budgetOf(work.delivery)
  const next = nextAttempt({ attempt, ...budget, maxAttempts: 0, now, retryAfterMs, random })
  if (!('at' in next) || isOverBudget({ ...budget, critical }, now))
    return unsent(work, end('dead', 'ambiguous', error), now)
  const { settlement } = unsent(work, end('pending', null, error), now)
  const provider = code === PROVIDER_DOWN ? ({ sign: 'refused' } as const) : UNKNOWN
  return { settlement: { ...settlement, nextDueAt: next.at }, provider }
}

/** What the provider gave as ids to the person's messages on this channel since then, this delivery's left out. */
export async function providerIdsOf(
  store: Pick<Store, 'deliveries'>,
  { tenant, id, userId, channel }: Delivery,
  since: number,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await store.deliveries({
      tenant,
      channel,
      since: since - LATE_MS,
      limit: ROWS_AT_ONCE,
      ...(userId !== null && { userId }),
      ...(cursor !== undefined && { cursor }),
    })
    for (const row of page.items) if (row.id !== id && row.providerId !== null) ids.add(row.providerId)
    cursor = page.nextCursor
  }
  return ids
}
