import type { Core } from '../../core.ts'
import type { Claimed, Digest } from '../../store/store.ts'
import { newDelivery } from '../plan.ts'
import { summaryOf } from './summary.ts'

/** How often the summary is written anew because more was held meanwhile. */
const TRIES = 20
/** Notifications and alerts that a summary looks at. */
const LOOKED_AT = 1000

/**
 * Ends a digest whose time has come: its summary is committed with its end, and sent like any other delivery to where
 * its person is reached now. Rejects when the store fails; the lease brings the work back. A crash before the commit
 * leaves the digest open.
 */
export async function closeDigest(
  core: Core,
  claimed: Extract<Claimed, { readonly kind: 'digest' }>,
): Promise<void> {
  const { digest, tenant, workId, token } = claimed
  const person = core.directory().user(digest.userId)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const contents = await core.store.digestContents(tenant, digest.id, LOOKED_AT)
    const rows = await core.store.deliveries({ tenant, digestId: digest.id, limit: LOOKED_AT })
    const outcomes = rows.items.filter(({ purpose }) => purpose === 'outcome')
    const now = core.clock.now()
    const address = addressNow(core, digest)
    const fixed = summaryOf(contents, {
      outcomesOf: new Set(outcomes.map(({ subjectId }) => subjectId)),
      openedAt: digest.openedAt,
      timezone: person?.timezone ?? 'UTC',
      publicUrl: core.publicUrl(),
    })
    const summary =
      fixed &&
      newDelivery({
        tenant,
        subjectKind: 'direct',
        subjectId: digest.id,
        ordinal: 0,
        purpose: 'summary',
        userId: digest.userId,
        channel: digest.channel,
        lane: core.laneOf(digest.channel, address),
        address,
        critical: (fixed.summary?.alertIds.length ?? 0) > 0,
        fixed,
        origin: { principal: 'carillon', messageId: digest.id, topic: '' },
        now,
        leased: false,
      })
    const closing = {
      tenant,
      digestId: digest.id,
      workId,
      token,
      at: now,
      expectCount: contents.count,
      summary,
    }
    const closed = await core.store.closeDigest(closing)
    if (closed === 'stale') continue
    if (closed === 'done' && summary) core.worker.wake(summary.lane, now)
    return
  }
  throw new Error('a digest grows faster than its summary can be written')
}

/** People change mailbox and number while messages gather; each of their devices has a digest of its own. */
function addressNow(core: Core, { userId, channel, address }: Digest): string | null {
  const person = core.directory().user(userId)
  if (!person || channel === 'push' || channel === 'web_push') return address
  const addresses = core.addressesOf(person, channel)
  return address !== null && addresses.includes(address) ? address : (addresses[0] ?? address)
}
