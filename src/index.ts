/** All that the application (routes, controllers, middleware) may import, as '#engine'. */
export type { Context, Handler, Middleware } from './router/context.ts'
export type { Decision } from './notification/decision.ts'
export { fault, Fault } from './errors.ts'
export { createRouter, type Group, type Route, type RouteOptions, type Router } from './router/router.ts'
export type { TopicParams } from './router/topic.ts'
export { SlidingWindow, type Standing } from './router/sliding-window.ts'
export { WaitingLines } from './router/waiting-lines.ts'
export { DEFAULT_RATE_LIMIT, isOperator, type Principal, type RateLimit } from './access/principal.ts'
