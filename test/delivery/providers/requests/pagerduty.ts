import type { RequestFacts } from './request-facts.ts'
import { link, oneOf, text, type Shape } from './shape.ts'

const PAYLOAD: Shape = {
  kind: 'object',
  required: {
    summary: text(1024),
    source: text(255),
    severity: oneOf('critical', 'error', 'warning', 'info'),
  },
  optional: {
    timestamp: text(40, { form: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/ }),
    component: text(255),
    group: text(255),
    class: text(255),
    custom_details: { kind: 'free object' },
  },
}

export const PAGERDUTY: RequestFacts = {
  title: 'an event of PagerDuty',
  pages: [
    'https://developer.pagerduty.com/docs/events-api-v2/trigger-events/',
    'https://github.com/PagerDuty/api-schema (createV2Event)',
  ],
  method: 'POST',
  path: /^\/v2\/enqueue$/,
  headers: { 'content-type': /^application\/json\b/ },
  encoding: 'json',
  mostBytes: 512 * 1024,
  body: {
    kind: 'object',
    required: {
      routing_key: text(32, { form: /^[A-Za-z0-9]{32}$/ }),
      event_action: oneOf('trigger', 'acknowledge', 'resolve'),
      dedup_key: text(255),
    },
    optional: {
      payload: PAYLOAD,
      client: text(255),
      client_url: link(2048),
      links: {
        kind: 'list',
        least: 1,
        most: 10,
        of: { kind: 'object', required: { href: link(2048) }, optional: { text: text(255) } },
      },
    },
  },
  rules: ({ event_action: action, payload }) =>
    action === 'trigger' && payload === undefined ? ['a trigger without payload'] : [],
}
