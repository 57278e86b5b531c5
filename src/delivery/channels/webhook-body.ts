import { renderAlert } from '../../wire/alert.ts'
import { renderNotification } from '../../wire/notification.ts'
import type { RenderInput } from '../channel.ts'
import { contentOf, type Content } from '../message/content.ts'
import { cut, oneLine } from '../message/text.ts'
import type { WebhookFormat } from '../message/webhook-format.ts'

/** The JSON that an endpoint gets. Pure, and total: no content makes it throw. */
export function webhookBody(format: WebhookFormat, input: RenderInput): unknown {
  const content = contentOf(input)
  switch (format) {
    case 'json':
      return jsonBody(input, content)
    case 'slack':
      return slackBody(content)
    case 'discord':
      return discordBody(content)
    case 'teams':
      return teamsBody(content)
    case 'pagerduty':
      return pagerdutyBody(input, content)
    case 'ntfy':
      return ntfyBody(content)
  }
}

/** The alert or notification as every other interface shows it, and what to do about it. */
function jsonBody({ delivery }: RenderInput, content: Content) {
  const { alert, notification } = content
  const actions = alert && content.kind === 'page' ? content.actions : []
  return {
    id: delivery.id,
    type: `${delivery.subjectKind}.${delivery.purpose}`,
    title: content.title,
    message: content.text,
    step: delivery.step,
    ...(content.link && { url: content.link.url }),
    ...(alert && { alert: renderAlert(alert) }),
    ...(notification && { notification: renderNotification(notification) }),
    actions: actions.map(({ id, label }) => ({ id, label, topic: `alerts/${alert?.id}/${id}` })),
  }
}

/**
 * Slack's incoming webhooks. Limits of docs.slack.dev, reference/block-kit/blocks: header 150 characters, section
 * text 3000, ten fields of 2000, button URL 3000. All texts are `plain_text`, so that `<!channel>` stays a text;
 * only the fallback is markup, and escaped.
 */
function slackBody(content: Content) {
  const plain = (text: string, length: number) => ({
    type: 'plain_text',
    text: cut(text, length),
    emoji: false,
  })
  const fields = content.facts.slice(0, 10).map(([label, value]) => plain(`${label}: ${value}`, 2000))
  const { link } = content
  return {
    text: slackEscaped(content.title),
    blocks: [
      { type: 'header', text: plain(content.title, 150) },
      ...(content.text === '' ? [] : [{ type: 'section', text: plain(content.text, 3000) }]),
      ...(fields.length === 0 ? [] : [{ type: 'section', fields }]),
      ...(link === null || link.url.length > 3000
        ? []
        : [
            {
              type: 'actions',
              elements: [{ type: 'button', text: plain(link.label, 75), url: link.url }],
            },
          ]),
    ],
  }
}

function slackEscaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const DISCORD_COLOURS = { critical: 0xc62828, warning: 0xef6c00, neutral: 0x546e7a } as const

/**
 * Discord's webhooks. Limits of docs.discord.com, resources/message: content 2000, embed title 256, description
 * 4096, 25 fields of 256 and 1024, 6000 for all of an embed. Nobody is mentioned, whatever the text says.
 */
function discordBody(content: Content) {
  const { link } = content
  const linkable = link !== null && link.url.length <= 2000 && hasDomain(link.url)
  const facts =
    link === null || linkable ? content.facts : [[link.label, link.url] as const, ...content.facts]
  return {
    content: markdownEscaped(content.title),
    embeds: [
      {
        title: cut(content.title, 256),
        ...(content.text !== '' && { description: cut(markdownEscaped(cut(content.text, 1800)), 3600) }),
        ...(linkable && { url: link.url }),
        color: DISCORD_COLOURS[content.tone],
        fields: facts.slice(0, 6).map(([label, value]) => ({
          name: cut(label, 256),
          value: cut(markdownEscaped(cut(value, 100)), 200),
          inline: value.length <= 30,
        })),
      },
    ],
    allowed_mentions: { parse: [] },
  }
}

/** Discord refuses a whole message for a link to `localhost` or any other name without a dot. */
function hasDomain(url: string): boolean {
  return URL.canParse(url) && new URL(url).hostname.includes('.')
}

function markdownEscaped(text: string): string {
  return text.replaceAll(/[\\`*_~|[\]()<>#]/g, (sign) => `\\${sign}`)
}

/**
 * Incoming webhooks and workflows of Microsoft Teams: a message with one adaptive card of version 1.4, at most 28 KB
 * (learn.microsoft.com, platform/webhooks-and-connectors). Text runs are shown as they are; text blocks would be
 * Markdown.
 */
function teamsBody(content: Content) {
  const block = (text: string, look: object = {}) => ({
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text, ...look }],
  })
  const colour = { critical: 'Attention', warning: 'Warning', neutral: 'Default' }[content.tone]
  const { link } = content
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            block(content.title, { size: 'Large', weight: 'Bolder', color: colour }),
            ...(content.text === '' ? [] : [block(cut(content.text, 4000))]),
            ...content.facts.slice(0, 10).map(([label, value]) => block(`${label}: ${cut(value, 200)}`)),
          ],
          ...(link !== null &&
            link.url.length <= 2000 && {
              actions: [{ type: 'Action.OpenUrl', title: link.label, url: link.url }],
            }),
        },
      },
    ],
  }
}

const PAGERDUTY_SEVERITIES = { critical: 'critical', warning: 'warning', neutral: 'info' } as const

/**
 * An event of PagerDuty's Events API v2 without its `routing_key` (developer.pagerduty.com, events-api-v2). Limits:
 * summary 1024 characters, dedup_key 255, everything 512 KB. The alert's id is the dedup_key, so that a repeated
 * request changes nothing and what became of the alert closes the right incident.
 */
function pagerdutyBody({ delivery }: RenderInput, content: Content) {
  const { alert, link } = content
  const dedupKey = cut(alert?.id ?? delivery.id, 255)
  if (content.kind === 'outcome' && alert?.status === 'resolved')
    return { event_action: 'resolve', dedup_key: dedupKey }
  if (content.kind === 'outcome' && alert?.status === 'acknowledged')
    return { event_action: 'acknowledge', dedup_key: dedupKey }
  const timestamp = isoTime(alert?.createdAt ?? delivery.createdAt)
  const system = oneLine(alert?.affectedSystems[0] ?? '')
  return {
    event_action: 'trigger',
    dedup_key: dedupKey,
    payload: {
      summary: cut(oneLine(`${content.title}: ${content.text}`), 1024),
      source: cut(oneLine(alert?.source ?? ''), 255) || 'Carillon',
      severity: PAGERDUTY_SEVERITIES[content.tone],
      ...(timestamp !== null && { timestamp }),
      ...(system !== '' && { component: cut(system, 255) }),
      ...(alert && { class: cut(oneLine(alert.type), 255) || 'alert' }),
      ...(alert?.team && { group: alert.team }),
      custom_details: {
        message: cut(content.text, 8000),
        ...Object.fromEntries(content.facts.slice(0, 10).map(([label, value]) => [label, cut(value, 1000)])),
        ...(alert && { data: alert.data }),
      },
    },
    client: 'Carillon',
    ...(link !== null &&
      link.url.length <= 2000 && {
        client_url: link.url,
        links: [{ href: link.url, text: link.label }],
      }),
  }
}

function isoTime(at: number): string | null {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : null
}

const NTFY_PRIORITIES = { critical: 5, warning: 4, neutral: 3 } as const
const NTFY_TAGS = { critical: ['rotating_light'], warning: ['warning'], neutral: [] } as const

/** A message of ntfy without its `topic` (docs.ntfy.sh, publish as JSON): at most 4096 bytes, else it is an attachment. */
function ntfyBody(content: Content) {
  const { link } = content
  const facts = content.facts.slice(0, 6).map(([label, value]) => `${label}: ${cut(value, 60)}`)
  return {
    title: cut(content.title, 250),
    message: [cut(content.text, 900), ...facts].filter(Boolean).join('\n') || content.title,
    priority: NTFY_PRIORITIES[content.tone],
    tags: NTFY_TAGS[content.tone],
    ...(link !== null && link.url.length <= 2000 && { click: link.url }),
  }
}
