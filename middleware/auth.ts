import { fault, isOperator, type Middleware } from '#engine'

export interface AuthOptions {
  /** The parameter of the topic that must be the caller's own id. */
  readonly self?: string
}

/**
 * A connection is closed when its proof ends, and the last will that it leaves comes just after; what comes later than
 * this was not meant to come at all.
 */
const WILL_GRACE_MS = 60_000

/**
 * Who somebody is comes from the connection and never from the payload (R39). Refuses a publish whose proof has ended
 * with `auth.expired`, and with `self` one in another person's name with `publish.forbidden`, unless the caller is an
 * operator. A route without the parameter that `self` names lets only operators through.
 */
export function auth(options: AuthOptions = {}): Middleware {
  const { self } = options
  return async (context, next) => {
    const { principal, params } = context
    if (principal.expiresAt !== undefined && context.now >= principal.expiresAt + WILL_GRACE_MS) {
      throw fault('auth.expired')
    }
    if (self !== undefined && params[self] !== principal.id && !isOperator(principal)) {
      throw fault('publish.forbidden', 'You may publish here only in your own name', { param: self })
    }
    return next()
  }
}
