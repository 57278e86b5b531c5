/** All that the application (routes, controllers, middleware) may import, as '#engine'. */
export type { Context, Handler, Middleware } from './router/context.ts'
export type { Decision } from './notification/decision.ts'
export { fault } from './errors.ts'
