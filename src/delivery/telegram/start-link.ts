import type { Clock } from '../../clock.ts'
import { field, type TelegramBot } from './bot.ts'

/** Somebody waits for the answer. */
const ANSWER_MS = 5000

/**
 * Makes links that open a chat with the bot and start it with a code (https://core.telegram.org/bots/features#deep-linking).
 * The bot's name is asked for until it is known; null while Telegram does not tell it.
 */
export function createStartLink(bot: TelegramBot, clock: Clock): (code: string) => Promise<string | null> {
  let name: string | null = null
  const ask = async () => {
    const abort = new AbortController()
    const cancel = clock.at(clock.now() + ANSWER_MS, () => abort.abort())
    try {
      const answer = await bot.call('getMe', {}, { signal: abort.signal, waitMs: ANSWER_MS })
      const given = answer.ok ? field(answer.result, 'username') : undefined
      return typeof given === 'string' && /^[A-Za-z0-9_]{1,64}$/.test(given) ? given : null
    } finally {
      cancel()
    }
  }
  return async (code) => {
    name ??= await ask()
    return name === null ? null : `https://t.me/${name}?start=${code}`
  }
}

/** What a message says that starts the bot with a code in a private chat; null for any other. */
export function parseStart(message: unknown): { readonly code: string; readonly chatId: number } | null {
  const from = field(field(message, 'from'), 'id')
  const chat = field(message, 'chat')
  const text = field(message, 'text')
  // In a private chat both ids are the person's.
  if (typeof from !== 'number' || field(chat, 'id') !== from || field(chat, 'type') !== 'private') return null
  const code = typeof text === 'string' ? /^\/start ([A-Za-z0-9_-]{1,64})$/.exec(text)?.[1] : undefined
  return code === undefined ? null : { code, chatId: from }
}
