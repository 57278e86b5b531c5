import type { RequestFacts } from './request-facts.ts'
import { oneOf, text, type Shape } from './shape.ts'

const BUTTON: Shape = {
  kind: 'object',
  required: {
    text: text(64),
    callback_data: { kind: 'text', longest: 64, shortest: 1, longestBytes: 64 },
  },
}

const method = (name: string, page: string, body: Shape): RequestFacts => ({
  title: `${name} of Telegram`,
  pages: [`https://core.telegram.org/bots/api#${page}`],
  method: 'POST',
  path: new RegExp(`^/bot[0-9]+:[A-Za-z0-9_-]+/${name}$`),
  headers: { 'content-type': /^application\/json\b/ },
  encoding: 'json',
  body,
})

/** Without `parse_mode`: a plain text holds nothing that could be taken for markup. */
export const TELEGRAM_MESSAGE = method('sendMessage', 'sendmessage', {
  kind: 'object',
  required: { chat_id: { kind: 'whole', least: 1, most: 2 ** 52 }, text: text(4096) },
  optional: {
    link_preview_options: { kind: 'object', required: {}, optional: { is_disabled: { kind: 'flag' } } },
    reply_markup: {
      kind: 'object',
      required: {
        inline_keyboard: {
          kind: 'list',
          least: 1,
          most: 100,
          of: { kind: 'list', of: BUTTON, least: 1, most: 8 },
        },
      },
    },
  },
})

export const TELEGRAM_UPDATES = method('getUpdates', 'getupdates', {
  kind: 'object',
  required: {},
  optional: {
    offset: { kind: 'whole', least: 0, most: 2 ** 31 },
    timeout: { kind: 'whole', least: 0, most: 50 },
    allowed_updates: { kind: 'list', of: oneOf('message', 'callback_query'), least: 1, most: 2 },
  },
})

export const TELEGRAM_ANSWER = method('answerCallbackQuery', 'answercallbackquery', {
  kind: 'object',
  required: { callback_query_id: text(100) },
  optional: { text: text(200) },
})
