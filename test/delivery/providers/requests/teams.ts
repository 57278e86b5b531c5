import type { RequestFacts } from './request-facts.ts'
import { link, oneOf, text, type Shape } from './shape.ts'

const RUN: Shape = {
  kind: 'object',
  required: { type: { kind: 'exactly', value: 'TextRun' }, text: text(28_000) },
  optional: {
    size: oneOf('Default', 'Small', 'Medium', 'Large', 'ExtraLarge'),
    weight: oneOf('Default', 'Lighter', 'Bolder'),
    color: oneOf('Default', 'Dark', 'Light', 'Accent', 'Good', 'Warning', 'Attention'),
  },
}

const CARD: Shape = {
  kind: 'object',
  required: {
    type: { kind: 'exactly', value: 'AdaptiveCard' },
    version: oneOf('1.0', '1.1', '1.2', '1.3', '1.4', '1.5'),
    body: {
      kind: 'list',
      least: 1,
      most: 100,
      of: {
        kind: 'object',
        required: {
          type: { kind: 'exactly', value: 'RichTextBlock' },
          inlines: { kind: 'list', of: RUN, least: 1, most: 100 },
        },
      },
    },
  },
  optional: {
    $schema: link(100),
    actions: {
      kind: 'list',
      least: 1,
      most: 6,
      of: {
        kind: 'object',
        required: {
          type: { kind: 'exactly', value: 'Action.OpenUrl' },
          title: text(100),
          url: link(2048),
        },
      },
    },
  },
}

export const TEAMS: RequestFacts = {
  title: 'a workflow of Microsoft Teams',
  pages: [
    'https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using',
    'https://adaptivecards.io/schemas/adaptive-card.json (1.4)',
  ],
  method: 'POST',
  path: /^\/workflows\/[0-9a-f]{32}\/triggers\/manual\/paths\/invoke\?\S+$/,
  headers: { 'content-type': /^application\/json\b/ },
  encoding: 'json',
  mostBytes: 28 * 1024,
  body: {
    kind: 'object',
    required: {
      type: { kind: 'exactly', value: 'message' },
      attachments: {
        kind: 'list',
        least: 1,
        most: 1,
        of: {
          kind: 'object',
          required: {
            contentType: { kind: 'exactly', value: 'application/vnd.microsoft.card.adaptive' },
            contentUrl: { kind: 'exactly', value: null },
            content: CARD,
          },
        },
      },
    },
  },
}
