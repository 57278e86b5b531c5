import { blockedBy, fault, type Middleware } from '#engine'

/**
 * Turns away what comes from senders that the configuration blocks (R41), with `publish.blocked`: kept as a dead letter,
 * because a block may be a mistake. `details` are the entry that fits.
 */
export function blockedSenders(): Middleware {
  return (context, next) => {
    const { filter, principal, topic } = context
    const block = filter.block.length === 0 ? null : blockedBy(filter.block, principal, topic)
    if (block === null) return next()
    throw fault('publish.blocked', block.reason, { block })
  }
}
