/** Whose form the body of a webhook has. */
export const WEBHOOK_FORMATS = ['json', 'slack', 'discord', 'teams', 'pagerduty', 'ntfy'] as const
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number]
