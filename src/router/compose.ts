import type { Decision } from '../notification/decision.ts'
import type { Context, Middleware } from './context.ts'
import type { Route } from './router.ts'
import type { Match } from './topic-trie.ts'

/** Runs one publish to its decision. A throw anywhere inside, also a synchronous one, is a rejection. */
export type Run = (context: Context) => Promise<Decision>

/**
 * Wraps `endpoint` in the middleware, the first of the list outermost (R45). A middleware that calls `next` twice gets
 * a rejection from the second call, and the rest does not run again.
 */
export function compose(
  middleware: readonly Middleware[],
  endpoint: (context: Context) => Decision | Promise<Decision>,
): Run {
  return (context) => {
    let reached = -1
    // Not an async function: with five layers, a promise more for each of them is what most of a publish costs.
    const dispatch = (index: number): Promise<Decision> => {
      if (index <= reached)
        return Promise.reject(
          new Error(`next() was called twice by middleware ${index} of ${context.pattern}`),
        )
      reached = index
      const layer = middleware[index]
      try {
        return layer ? layer(context, () => dispatch(index + 1)) : Promise.resolve(endpoint(context))
      } catch (error) {
        return Promise.reject(error)
      }
    }
    return dispatch(0)
  }
}

/**
 * Takes a publish through its route: middleware, then the check of the body, then a free worker, then the handler.
 * Rejects with a `Fault` when one of them refuses it; anything else that it rejects with is a bug in the application.
 */
export function runRoute(match: Match<Pick<Route, 'run'>>, context: Context): Promise<Decision> {
  return match.route.run(context)
}
