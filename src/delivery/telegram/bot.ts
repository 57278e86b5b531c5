import { createOutgoing, type Answer } from '../outgoing/outgoing.ts'

const PUBLIC_API = 'https://api.telegram.org'

export interface BotSettings {
  readonly token: string
  /** Another server of the bot interface, which may be on this machine. */
  readonly apiRoot?: string | undefined
}

/** What a call of the Bot API came to. */
export type BotAnswer =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false
      /** 0 when there was no answer of the Bot API. */
      readonly status: number
      readonly description: string
      readonly retryAfterMs?: number
      /** Of the network, when there was no answer. */
      readonly failure?: Exclude<Answer, { readonly kind: 'answer' }>
    }

export interface TelegramBot {
  /** Calls a method. Never rejects; no answer holds the token, which is a part of every URL. */
  call(
    method: string,
    parameters: Readonly<Record<string, unknown>>,
    limits: { readonly signal: AbortSignal; readonly waitMs: number },
  ): Promise<BotAnswer>
}

/** The Bot API over HTTP (core.telegram.org/bots/api). */
export function createTelegramBot({ token, apiRoot = PUBLIC_API }: BotSettings): TelegramBot {
  const root = apiRoot.replace(/\/+$/, '')
  // The operator named this server, wherever it is; everything else stays out of reach.
  const host = URL.canParse(root) ? new URL(root).hostname.replace(/^\[(.*)\]$/, '$1') : ''
  const outgoing = createOutgoing({ allow: apiRoot === PUBLIC_API ? [] : [host] })
  return {
    async call(method, parameters, { signal, waitMs }) {
      const answer = await outgoing.post({
        url: `${root}/bot${token}/${method}`,
        headers: { 'content-type': 'application/json', 'user-agent': 'Carillon' },
        body: JSON.stringify(parameters),
        signal,
        waitMs,
      })
      if (answer.kind !== 'answer')
        return { ok: false, status: 0, description: describe(answer), failure: answer }
      return read(answer.status, answer.body, token)
    },
  }
}

function describe(answer: Exclude<Answer, { readonly kind: 'answer' }>): string {
  return answer.kind === 'refused' ? answer.because : answer.code
}

function read(status: number, body: string, token: string): BotAnswer {
  const parsed = parse(body)
  if (field(parsed, 'ok') === true && status === 200) return { ok: true, result: field(parsed, 'result') }
  const description = field(parsed, 'description')
  const wait = field(field(parsed, 'parameters'), 'retry_after')
  return {
    ok: false,
    status: status === 200 ? 502 : status,
    description: wordsOf(description, status).replaceAll(token, '…'),
    ...(typeof wait === 'number' && wait > 0 && { retryAfterMs: wait * 1000 }),
  }
}

/** As the Bot API words its refusals, such as `Bad Request: chat not found`. */
const REFUSAL = /^[A-Z][A-Za-z]+( [A-Z][A-Za-z]+){0,2}(: [\w .,;'()-]{1,150})?$/

/** Only what is a sentence of the Bot API: others may repeat the request, with the person's text (security row 26). */
function wordsOf(description: unknown, status: number): string {
  if (typeof description !== 'string') return 'no answer of a bot API'
  return REFUSAL.test(description) ? description : `HTTP ${status}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** A field of something that came from outside. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
