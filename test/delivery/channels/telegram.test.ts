import { expect } from 'chai'
import type { ServerResponse } from 'node:http'
import { telegramChannel } from '../../../src/delivery/channels/telegram.ts'
import { callbackData, parseCallbackData } from '../../../src/delivery/telegram/callback-data.ts'
import { PAGE_ACTIONS } from '../../../src/delivery/message/content.ts'
import { httpEndpoint, type HttpEndpoint } from '../../support/http-endpoint.ts'
import { person } from '../../support/messages.ts'

const TOKEN = '123456:geheim-token'

describe('a Telegram message', () => {
  let server: HttpEndpoint
  afterEach(() => server.close())

  const send = async (answer: (response: ServerResponse) => void, alertId?: string) => {
    server = await httpEndpoint((_request, response) => answer(response))
    const channel = telegramChannel({ token: TOKEN, apiRoot: server.url })
    return channel.send(
      {
        idempotencyKey: 'a1.3',
        address: '4711',
        rendered: { text: 'Disk <is> full', actions: PAGE_ACTIONS },
        critical: true,
        ...(alertId !== undefined && { alertId }),
      },
      new AbortController().signal,
    )
  }
  const json = (status: number, body: unknown) => (response: ServerResponse) =>
    void response.writeHead(status).end(JSON.stringify(body))
  const sent = json(200, { ok: true, result: { message_id: 99 } })

  it('is plain text to the chat of the person, with a button for every answer to a page', async () => {
    expect(await send(sent, 'a1')).to.deep.equal({ ok: true, status: 200, providerId: '99' })
    expect(server.received[0]?.path).to.equal(`/bot${TOKEN}/sendMessage`)
    expect(JSON.parse(server.received[0]?.body ?? '')).to.deep.equal({
      chat_id: 4711,
      text: 'Disk <is> full',
      link_preview_options: { is_disabled: true },
      reply_markup: {
        inline_keyboard: [
          [
            { text: 'Acknowledge', callback_data: 'ack:a1' },
            { text: 'Escalate', callback_data: 'escalate:a1' },
            { text: 'Resolve', callback_data: 'resolve:a1' },
          ],
        ],
      },
    })
  })

  it('has no buttons when they could not say which alert they mean', async () => {
    await send(sent, 'x'.repeat(64))
    expect(JSON.parse(server.received[0]?.body ?? '')).to.not.have.property('reply_markup')
  })

  const answers: readonly [status: number, body: unknown, expected: object][] = [
    [
      429,
      { ok: false, description: 'Too Many Requests', parameters: { retry_after: 14 } },
      { retry: true, code: 'http_429', retryAfterMs: 14_000 },
    ],
    [
      400,
      { ok: false, description: 'Bad Request: chat not found' },
      { retry: false, code: 'http_400', reason: 'Bad Request: chat not found' },
    ],
    [403, { ok: false, description: 'bot was blocked' }, { retry: false, code: 'http_403' }],
    [401, { ok: false, description: 'Unauthorized' }, { retry: true, code: 'provider_down' }],
    [404, { ok: false, description: 'Not Found' }, { retry: true, code: 'provider_down' }],
    [
      500,
      { ok: false, description: `bad /bot${TOKEN}/` },
      { retry: true, code: 'http_500', reason: 'HTTP 500' },
    ],
    [502, 'no JSON', { retry: true, code: 'http_502' }],
    [200, 'no JSON', { retry: true, code: 'http_502' }],
  ]
  for (const [status, body, expected] of answers) {
    it(`that is answered ${status} ${JSON.stringify(body).slice(0, 40)} is ${JSON.stringify(expected)} (O12, P7)`, async () => {
      const result = await send(json(status, body))
      expect(result).to.include({ ok: false, ...expected })
      expect(JSON.stringify(result)).to.not.include('geheim')
    })
  }

  it('never tells the token when the network fails (P9)', async () => {
    const result = await send((response) => void response.socket?.destroy())
    expect(result).to.include({ ok: false, retry: true, code: 'connection_failed', ambiguous: true })
    expect(JSON.stringify(result)).to.not.include('geheim')
  })

  it('goes to the chat that the configuration names', async () => {
    await send(sent)
    const channel = telegramChannel(null)
    expect(channel.addresses(person({ telegramChatId: 4711 }))).to.deep.equal(['4711'])
    expect(channel.addresses(person())).to.deep.equal([])
  })
})

describe('the data of a button', () => {
  it('says verb and alert in 64 bytes, and is read back', () => {
    const id = '019b8e5c-7a00-7001-8000-5f3c2d1e0f11'
    for (const verb of ['ack', 'escalate', 'resolve']) {
      expect(parseCallbackData(callbackData(verb, id) ?? '')).to.deep.equal({ verb, alertId: id })
    }
    expect(callbackData('ack', 'ä'.repeat(31))).to.equal(null)
    expect(callbackData('open', id)).to.equal(null)
    expect(callbackData('ack', '')).to.equal(null)
    expect(parseCallbackData('ack:a:b')).to.deep.equal({ verb: 'ack', alertId: 'a:b' })
  })
  for (const data of ['', 'ack', 'ack:', ':a1', 'note:a1', 'ACK:a1']) {
    it(`is none in ${JSON.stringify(data)}`, () => expect(parseCallbackData(data)).to.equal(null))
  }
})
