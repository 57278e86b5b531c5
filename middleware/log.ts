import { Fault, type Middleware } from '#engine'

/**
 * One debug line per publish: topic, principal, correlation id, duration in milliseconds and what became of it, which
 * is the kind of the decision or the code of the fault. The payload is never in it (security 26).
 */
export function log(): Middleware {
  return async (context, next) => {
    if (!context.log.isLevelEnabled('debug')) return next()
    const startedAt = context.clock.now()
    let outcome = 'server.internal'
    try {
      const decision = await next()
      outcome = decision.kind
      return decision
    } catch (error) {
      if (error instanceof Fault) outcome = error.code
      throw error
    } finally {
      context.log.debug(
        {
          topic: context.topic,
          route: context.pattern,
          principal: context.principal.id,
          correlation_id: context.correlationId,
          duration_ms: context.clock.now() - startedAt,
          outcome,
        },
        'publish',
      )
    }
  }
}
