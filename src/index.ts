/** All that the application (routes, controllers, middleware) may import, as '#engine'. */
export { DEFAULT_RATE_LIMIT, isOperator, type Principal, type RateLimit } from './access/principal.ts'
export type { AlertLevel } from './alert/alert.ts'
export { parseMailbox, parsePhone } from './delivery/address.ts'
export { parsePushToken, parsePushTopic, PLATFORMS, topicAddress, type Platform } from './devices/device.ts'
export { ERRORS, Fault, fault, type ErrorCode } from './errors.ts'
export type {
  AlertCommandDecision,
  Decision,
  DirectMessage,
  Draft,
  InboxDecision,
} from './notification/decision.ts'
export { PRIORITIES, SEVERITIES } from './notification/notification.ts'
export type { Context, Handler, Middleware } from './router/context.ts'
export { blockedBy } from './router/blocked.ts'
export { isSecretName, redactText, REDACTED, type Redaction } from './router/redaction.ts'
export { createRouter, type Group, type Route, type RouteOptions, type Router } from './router/router.ts'
export { SlidingWindow, type Standing } from './router/sliding-window.ts'
export type { TopicParams } from './router/topic.ts'
export { WaitingLines } from './router/waiting-lines.ts'
export { LONGEST_MS, parseDuration } from './duration.ts'
