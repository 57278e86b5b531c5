import type { Store } from '../../store.ts'
import type { MongoContext } from '../context.ts'
import { acceptGroup } from './accept.ts'
import { acceptKeys, acceptTouches, alertKeyOf, changeTouches } from './touches.ts'
import { changeOne } from './alert.ts'
import { claiming } from './claim.ts'
import { closeDigest } from './digest.ts'
import { keyOf } from '../document/key.ts'
import { cancelDelivery, progress, progressTouches } from './progress.ts'
import { settleGroup, settleTouches } from './settle.ts'
import { weightOf } from './weight.ts'

type WriteMethods = Pick<
  Store,
  'accept' | 'changeAlert' | 'claim' | 'settle' | 'closeDigest' | 'cancelDelivery' | 'progress'
>

/** The methods that accept messages and carry them out. */
export function writes(context: MongoContext): WriteMethods {
  const { pipeline } = context
  const accepting = acceptGroup(context)
  const settling = settleGroup(context)
  const claim = claiming(context)
  return {
    accept(acceptance) {
      const { at, tenant, urgent, alert, notifications } = acceptance
      const followed = alert?.kind === 'change' ? alert.change.notifications.length : 0
      return pipeline.write({
        at,
        urgent,
        bytes: weightOf(acceptance),
        touches: acceptTouches(acceptance),
        keys: acceptKeys(acceptance),
        numbers: { tenant, count: notifications.length + followed },
        mayBeIdle: true,
        group: accepting,
        item: acceptance,
      })
    },
    changeAlert: (change) =>
      pipeline.write({
        at: change.at,
        touches: changeTouches(change.tenant, change.alert),
        keys: [alertKeyOf(change.tenant, change.alertId)],
        numbers: { tenant: change.tenant, count: change.notifications.length },
        mayBeIdle: true,
        run: (slot) => changeOne(context, change, slot),
      }),
    claim: (wanted) =>
      pipeline.write({
        at: wanted.now,
        touches: [
          ['work', 'claim'],
          [`lane ${wanted.lane}`, 'alone'],
        ],
        mayBeIdle: true,
        run: (slot) => claim(wanted, slot),
      }),
    settle: (settlement) =>
      pipeline.write({
        at: settlement.at,
        touches: settleTouches(settlement),
        mayBeIdle: true,
        group: settling,
        item: settlement,
      }),
    closeDigest: (closing) =>
      pipeline.write({
        at: closing.at,
        touches: [
          ['work', 'end'],
          ['digests', 'alone'],
          ...(closing.summary ? ([[`lane ${closing.summary.lane}`, 'add']] as const) : []),
        ],
        mayBeIdle: true,
        run: (slot) => closeDigest(context, closing, slot),
      }),
    cancelDelivery: (cancelled) =>
      pipeline.write({
        at: cancelled.at,
        touches: [
          ['work', 'end'],
          [`delivery ${keyOf(cancelled.tenant, cancelled.id)}`, 'alone'],
        ],
        run: () => cancelDelivery(context, cancelled),
      }),
    progress: (steps) =>
      pipeline.write({
        at: steps.reduce((latest, step) => Math.max(latest, step.at), 0),
        touches: progressTouches(steps),
        run: () => progress(context, steps),
      }),
  }
}
