import type { Channel, OutgoingMessage, Rendered, RenderInput, SendResult } from '../channel.ts'
import { contentOf } from '../message/content.ts'
import { classify, PROVIDER_DOWN, SEND_TIMEOUT_MS } from '../attempt/retry.ts'
import { createTelegramBot, field, type BotAnswer, type BotSettings } from '../telegram/bot.ts'
import { callbackData } from '../telegram/callback-data.ts'
import { cut, oneLine } from '../message/text.ts'
import { notConfigured } from './not-configured.ts'

/** The Bot API's limit of a message is 4096 UTF-16 units; the rest is room for the title and the link. */
const LONGEST_TEXT = 3300
const LONGEST_REASON = 300

/**
 * Telegram messages (behaviour O12) as plain text, because its markup has no safe way to carry foreign text. Pages
 * have buttons, which the bot's poll answers. The Bot API knows no idempotency key: a message whose answer was lost
 * may come twice.
 */
export function telegramChannel(settings: BotSettings | null): Channel {
  const bot = settings && createTelegramBot(settings)
  return {
    name: 'telegram',
    addresses: ({ telegramChatId }) => (telegramChatId === undefined ? [] : [String(telegramChatId)]),
    render: renderTelegram,
    async send(message, signal) {
      if (!bot) return notConfigured('telegram')
      const limits = { signal, waitMs: SEND_TIMEOUT_MS }
      return resultOf(await bot.call('sendMessage', parametersOf(message), limits))
    },
    close: () => Promise.resolve(),
  }
}

function renderTelegram(input: RenderInput): Rendered {
  const content = contentOf(input)
  const facts = content.facts.filter(([label]) => label === 'Source' || label === 'Affected systems')
  const lines = [
    content.kind === 'fixed' ? '' : content.title,
    cut(content.text, LONGEST_TEXT),
    ...facts.map(([label, value]) => `${label}: ${cut(value, 100)}`),
    content.link && content.link.url.length <= 200 ? content.link.url : '',
  ]
  return { text: lines.filter(Boolean).join('\n') || content.title, actions: content.actions }
}

function parametersOf({ address, rendered, alertId }: OutgoingMessage) {
  const buttons = rendered.actions.flatMap(({ id, label }) => {
    const data = callbackData(id, alertId ?? '')
    return data === null ? [] : [{ text: label, callback_data: data }]
  })
  return {
    chat_id: Number(address),
    text: rendered.text,
    link_preview_options: { is_disabled: true },
    ...(buttons.length > 0 && { reply_markup: { inline_keyboard: [buttons] } }),
  }
}

function resultOf(answer: BotAnswer): SendResult {
  if (answer.ok) {
    const id = field(answer.result, 'message_id')
    return { ok: true, status: 200, ...(typeof id === 'number' && { providerId: String(id) }) }
  }
  const { status, description, failure, retryAfterMs } = answer
  const reason = cut(oneLine(description), LONGEST_REASON)
  if (failure?.kind === 'refused') return { ok: false, retry: false, code: 'address_refused', reason }
  if (failure) {
    const { kind, code } = classify({ error: failure.code, written: failure.written })
    return { ok: false, retry: true, code, reason, ...(kind === 'ambiguous' && { ambiguous: true }) }
  }
  // The Bot API says 404 for a token that cannot be one, and 403 when a person has blocked the bot.
  if (status === 401 || status === 404)
    return {
      ok: false,
      retry: true,
      code: PROVIDER_DOWN,
      reason: 'Telegram refuses the token of the bot',
      status,
    }
  const retry = status !== 403 && classify({ status }).kind === 'retry'
  return {
    ok: false,
    retry,
    code: `http_${status}`,
    reason,
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}
