import type { Principal } from '../../access/principal.ts'
import type { Alert } from '../../alert/alert.ts'
import type { Clock } from '../../clock.ts'
import type { Contacts } from '../../contact/contacts.ts'
import type { Directory } from '../../directory/directory.ts'
import { Fault } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { AlertCommandDecision } from '../../notification/decision.ts'
import { SlidingWindow } from '../../router/sliding-window.ts'
import type { Seen } from '../answers/seen.ts'
import { cut, oneLine } from '../message/text.ts'
import { field, type BotAnswer, type TelegramBot } from './bot.ts'
import { parseCallbackData } from './callback-data.ts'
import { parseStart } from './start-link.ts'

export interface TelegramPollDeps {
  readonly bot: TelegramBot
  readonly directory: () => Directory
  readonly contacts: Pick<Contacts, 'peopleAt'>
  readonly seen: Seen
  /** Acts on an alert, once per `once`; resolves after the commit. */
  readonly command: (command: AlertCommandDecision, by: Principal, once: string) => Promise<Alert>
  /** Takes a private chat whose person followed a link; resolves with their name, null for a link that is none. */
  readonly followLink: (code: string, chatId: number) => Promise<string | null>
  readonly clock: Clock
  readonly log: Log
}

export interface TelegramPoll {
  start(): void
  /** Ends the poll; resolves when the button that is being answered has been. */
  stop(): Promise<void>
}

/** How long the Bot API holds a poll open, and how much longer the answer may take. */
const HELD_SECONDS = 25
const ANSWER_MS = 10_000
/** Between polls after a failure, and after an answer that came sooner than a long poll's should. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 60_000
const LONGEST_REPLY = 200
const LONGEST_NAME = 255
/** Anybody may write to a bot; whoever sends it codes that are none is not talked to for ever. */
const STRANGERS = { maxRequests: 5, windowMs: 60_000 }

/**
 * Answers the buttons under Telegram pages: asks the Bot API for pressed ones, acts in the name of the person whose
 * chat it is, and shows them the outcome. Nobody else's press does anything. A press that is given again, because the
 * process died before it could ask for the next, is not done again. Links that start the bot give a person their chat.
 */
export function createTelegramPoll(deps: TelegramPollDeps): TelegramPoll {
  const { bot, clock, log, seen } = deps
  const strangers = new SlidingWindow()
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let offset = 0

  const call = async (method: string, parameters: Readonly<Record<string, unknown>>, waitMs: number) => {
    const abort = new AbortController()
    const cancel = clock.at(clock.now() + waitMs, () => abort.abort())
    // Only the poll itself is cut short by the stop; an answer to a person is not.
    const signal = method === 'getUpdates' ? AbortSignal.any([abort.signal, stopped.signal]) : abort.signal
    try {
      return await bot.call(method, parameters, { signal, waitMs })
    } finally {
      cancel()
    }
  }

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const cancel = clock.at(clock.now() + ms, resolve)
      stopped.signal.addEventListener('abort', () => {
        cancel()
        resolve()
      })
    })

  const answer = async (query: unknown) => {
    const id = field(query, 'id')
    if (typeof id !== 'string') return
    const once = `telegram:${id}`
    const text = await seen.once(once, () => outcomeOf(query, once, deps), 'This was done already.')
    const answered = await call(
      'answerCallbackQuery',
      { callback_query_id: id, text: cut(text, LONGEST_REPLY) },
      ANSWER_MS,
    )
    if (!answered.ok) log.warn({ reason: answered.description }, 'a Telegram button was not answered')
  }

  const start = async (message: unknown) => {
    const started = parseStart(message)
    if (started === null) return
    const name = await deps.followLink(started.code, started.chatId)
    if (name === null && !strangers.take('all', STRANGERS, clock.now())) return
    const text =
      name === null
        ? 'This link is good for nothing any more.'
        : `Hello ${cut(oneLine(name), LONGEST_NAME)}, this chat is yours now.`
    await call('sendMessage', { chat_id: started.chatId, text }, ANSWER_MS)
  }

  const dealWith = async (update: unknown) => {
    try {
      await answer(field(update, 'callback_query'))
      await start(field(update, 'message'))
    } catch (error) {
      // What could not be noted comes again only after a restart; the person presses again before that.
      log.error({ err: error }, 'a Telegram update failed')
    }
  }

  const poll = async () => {
    let failures = 0
    while (!stopped.signal.aborted) {
      const askedAt = clock.now()
      const parameters = { offset, timeout: HELD_SECONDS, allowed_updates: ['callback_query', 'message'] }
      const got = await call('getUpdates', parameters, HELD_SECONDS * 1000 + ANSWER_MS)
      if (stopped.signal.aborted) return
      const updates = updatesOf(got)
      if (updates === null) {
        failures++
        if (failures === 1) log.warn({ reason: reasonOf(got) }, 'Telegram buttons cannot be asked for')
        await pause(pauseAfter(failures, got))
        continue
      }
      failures = 0
      for (const update of updates) {
        offset = Math.max(offset, Number(field(update, 'update_id')) + 1)
        await dealWith(update)
      }
      if (updates.length === 0 && clock.now() - askedAt < FIRST_PAUSE_MS) await pause(FIRST_PAUSE_MS)
    }
  }

  return {
    start() {
      running = poll().catch((error: unknown) => log.error({ err: error }, 'the Telegram poll ended'))
    },
    async stop() {
      stopped.abort()
      await running
    },
  }
}

function updatesOf(got: BotAnswer): readonly unknown[] | null {
  if (!got.ok || !Array.isArray(got.result)) return null
  return got.result.filter((update) => Number.isSafeInteger(field(update, 'update_id')))
}

function reasonOf(got: BotAnswer): string {
  return got.ok ? 'no list of updates' : `${got.status} ${got.description}`
}

function pauseAfter(failures: number, got: BotAnswer): number {
  const wish = got.ok ? 0 : (got.retryAfterMs ?? 0)
  return Math.min(LONGEST_PAUSE_MS, Math.max(wish, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 6)))
}

/** Acts on a pressed button and says what came of it, in a sentence for the person. Never throws. */
async function outcomeOf(query: unknown, once: string, deps: TelegramPollDeps): Promise<string> {
  const { command, log } = deps
  const data = field(query, 'data')
  const pressed = typeof data === 'string' ? parseCallbackData(data) : null
  if (!pressed) return 'This button is not known any more.'
  const by = personOf(query, deps)
  if (!by) return 'This chat belongs to nobody who may act.'
  try {
    const alert = await command({ kind: 'alert-command', ...pressed }, by, once)
    const who = alert.status === 'acknowledged' ? ` by ${alert.acknowledgedBy}` : ''
    return `${alert.type} is ${alert.status}${who}; the last step was ${alert.step}.`
  } catch (error) {
    if (error instanceof Fault && error.code !== 'server.internal') return error.message
    log.error({ err: error }, 'a Telegram button failed')
    return 'That did not work, please try again.'
  }
}

/** Whoever pressed, if the message is in their own chat: in a private chat both ids are the person's. */
function personOf(query: unknown, { directory, contacts }: TelegramPollDeps): Principal | undefined {
  const from = field(field(query, 'from'), 'id')
  const chat = field(field(field(query, 'message'), 'chat'), 'id')
  if (typeof from !== 'number' || chat !== from) return undefined
  const [person] = contacts.peopleAt(directory(), 'telegram', String(from))
  return person && directory().principal(person.id)
}
