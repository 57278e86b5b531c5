import { auth } from '../middleware/auth.ts'
import { blockedSenders } from '../middleware/blocked-senders.ts'
import { log } from '../middleware/log.ts'
import { notificationFilter } from '../middleware/notification-filter.ts'
import { rateLimit } from '../middleware/rate-limit.ts'

const limit = rateLimit({ maxRequests: 1000, windowSeconds: 60 })
const blocked = blockedSenders()

/** What every publish passes, in this order. One limiter for all routes: the limit is per principal, not per topic. */
export const guards = [log(), auth(), limit, blocked, notificationFilter()]

/** For payloads that are not ours to judge: an event is any JSON. */
export const openGuards = [log(), auth(), limit, blocked]

/** The same for routes whose `{userId}` must be the caller. */
export const ownGuards = [log(), auth({ self: 'userId' }), limit, blocked, notificationFilter()]
