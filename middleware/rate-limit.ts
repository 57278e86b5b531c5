import {
  DEFAULT_RATE_LIMIT,
  fault,
  SlidingWindow,
  WaitingLines,
  type Fault,
  type Middleware,
  type Principal,
  type RateLimit,
  type Standing,
} from '#engine'

export interface RateLimitOptions {
  readonly maxRequests?: number
  readonly windowSeconds?: number
}

/**
 * An exact sliding window per principal, over everything that this instance stands before, and over all nodes (R40, R47; fault 11). A
 * limit that the configuration gives a principal wins over the one given here.
 *
 * Over it, MQTT with QoS 1 or 2 waits for the next free place, first come first served, so that nothing is lost and
 * the publisher is slowed; the wait ends with `server.stopping` when the connection is gone. QoS 0 is dropped. Either
 * way the publisher is told at most once per window. HTTP gets the fault `rate_limit_exceeded` with Retry-After. What
 * the engine itself publishes is not limited.
 */
export function rateLimit(options: RateLimitOptions = {}): Middleware {
  const general: RateLimit = {
    maxRequests: options.maxRequests ?? DEFAULT_RATE_LIMIT.maxRequests,
    windowMs:
      options.windowSeconds === undefined ? DEFAULT_RATE_LIMIT.windowMs : options.windowSeconds * 1000,
  }
  if (!Number.isInteger(general.maxRequests) || general.maxRequests < 1 || !(general.windowMs > 0)) {
    throw new Error('rateLimit: maxRequests must be a whole number from 1 and windowSeconds more than 0')
  }
  const window = new SlidingWindow()
  const told = new SlidingWindow()
  const lines = new WaitingLines(window)
  return async (context, next) => {
    const { principal, publish, clock } = context
    if (publish.via === 'engine') return next()
    const key = principal.id
    const limit = limitOf(principal, general)
    const now = clock.now()
    const { rates } = context
    const shared = rates && (rates.waiting(key) > 0 ? NO_PLACE : await rates.take(key, limit))
    const waiting = lines.waiting(key)
    if (shared ? shared.admitted : waiting === 0 && window.take(key, limit, now)) return next()
    const standing = shared
      ? { remaining: 0, freeAt: now + shared.freeInMs }
      : window.standing(key, limit, now, waiting)
    if (publish.via === 'http') throw exceeded(limit, standing, now)
    if (told.take(key, { maxRequests: 1, windowMs: limit.windowMs }, now)) {
      context.tell('rate-limit', notice(limit, standing))
    }
    if (publish.qos === 0) return { kind: 'drop', reason: 'rate_limit_exceeded' }
    const waiter = { key, limit, clock, signal: publish.signal }
    await (shared ? rates?.wait(waiter) : lines.join(waiter))
    return next()
  }
}

/** Somebody stands in line already. */
const NO_PLACE = { admitted: false, freeInMs: 1000 }

/** Everybody has a limit; the one that stands for "not configured" gives way to the middleware's own. */
function limitOf(principal: Principal, general: RateLimit): RateLimit {
  const { maxRequests, windowMs } = principal.rateLimit
  const configured =
    maxRequests !== DEFAULT_RATE_LIMIT.maxRequests || windowMs !== DEFAULT_RATE_LIMIT.windowMs
  return configured ? principal.rateLimit : general
}

function describe(limit: RateLimit, standing: Standing) {
  return {
    max_requests: limit.maxRequests,
    window_seconds: limit.windowMs / 1000,
    remaining: standing.remaining,
    // Seconds since the epoch, as every time of that document.
    reset_time: Math.ceil(standing.freeAt / 1000),
  }
}

function sentence(limit: RateLimit): string {
  return `More than ${limit.maxRequests} publishes in ${limit.windowMs / 1000} seconds`
}

/** The message of R47. */
function notice(limit: RateLimit, standing: Standing): Readonly<Record<string, unknown>> {
  return { error: 'rate_limit_exceeded', message: sentence(limit), rate_limit: describe(limit, standing) }
}

function exceeded(limit: RateLimit, standing: Standing, now: number): Fault {
  const details = { rate_limit: describe(limit, standing) }
  return fault('rate_limit_exceeded', sentence(limit), details, Math.max(1, standing.freeAt - now))
}
