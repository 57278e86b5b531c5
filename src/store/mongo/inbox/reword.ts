import type { NotificationContent } from '../../../notification/notification.ts'
import type { InboxRewording } from '../../store.ts'
import type { Collections } from '../collections.ts'
import { keyOf } from '../document/key.ts'
import { DELETED, isAddressed } from './inbox.ts'

/** Another node may reword it as well: so often in a row nobody is overtaken. */
const MOST_TRIES = 100

/** One compare-and-set on what the entry said before; false as the port says. */
export async function reword(
  { notifications }: Pick<Collections, 'notifications'>,
  { tenant, userId, id, content }: InboxRewording,
): Promise<boolean> {
  const _id = keyOf(tenant, id)
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const found = await notifications.findOne({ _id })
    const own = found?.userId === userId && isAddressed(found, { tenant, userId, groups: [] })
    if (!found || !own || found.state === DELETED) return false
    // What was stored is what the port gave.
    const after = { ...(JSON.parse(found.content) as NotificationContent), ...content }
    const { matchedCount } = await notifications.updateOne(
      { _id, content: found.content, state: { $ne: DELETED } },
      {
        $set: {
          content: JSON.stringify(after),
          category: after.category ?? null,
          customerId: after.customerId ?? null,
        },
      },
    )
    if (matchedCount === 1) return true
  }
  throw new Error(`entry ${id} was changed by others ${MOST_TRIES} times in a row`)
}
