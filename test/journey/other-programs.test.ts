import { expect } from 'chai'
import { createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { eventually } from '../support/eventually.ts'
import { harness, type Harness } from '../support/harness.ts'
import { httpEndpoint, type HttpEndpoint, type Received } from '../support/http-endpoint.ts'

const MINUTE = 60_000

describe('an alert that other programs are told of', () => {
  let program: Harness
  let endpoint: HttpEndpoint
  afterEach(async () => {
    await program.close()
    await endpoint.close()
  })

  const run = async (answer: (response: ServerResponse, count: number) => void, format = 'json') => {
    endpoint = await httpEndpoint((_request, response, count) => answer(response, count))
    const ops = { url: `${endpoint.url}/services/geheim`, secret: 'shared', format }
    program = await harness({
      config: {
        teams: {
          platform: {
            alert_types: ['system_failure'],
            schedule: { layers: [{ rotate: ['bob'] }] },
            escalation: { steps: [{ notify: ['oncall', 'webhook:ops'], wait: '30m' }] },
          },
        },
        channels: { webhook: { mode: 'both', allow: ['127.0.0.1'], endpoints: { ops } } },
      },
    })
  }
  const row = async (id: string) =>
    (await program.deliveries(id)).find(({ channel }) => channel === 'webhook')
  const isSigned = ({ headers, body }: Received) => {
    const signed = `${String(headers['x-carillon-timestamp'])}.${body}`
    return (
      headers['x-carillon-signature'] === `v1=${createHmac('sha256', 'shared').update(signed).digest('hex')}`
    )
  }

  it('reaches the endpoint of its step once, with a signature that holds (P8)', async () => {
    await run((response) => void response.end())
    const id = await program.raise('alerts/critical/system_failure')
    await program.pass(5 * MINUTE)
    expect(endpoint.received).to.have.length(1)
    expect(endpoint.received.every(isSigned)).to.equal(true)
    const body: unknown = JSON.parse(endpoint.received[0]?.body ?? '')
    expect(body).to.have.nested.property('alert.id', id)
    expect(body).to.have.property('step', 1)
    expect(body).to.have.nested.property('actions[0].topic', `alerts/${id}/ack`)
    expect(await row(id)).to.include({ state: 'sent', attempts: 1 })
  })

  it('is sent again under the same id, not before the endpoint wants it (P7, P8)', async () => {
    await run((response, count) =>
      count === 1 ? response.writeHead(503, { 'retry-after': '120' }).end('geheim') : response.end(),
    )
    const id = await program.raise('alerts/critical/system_failure')
    await program.pass(2 * MINUTE - 1)
    expect(endpoint.received).to.have.length(1)
    await program.pass(1)
    expect(endpoint.received).to.have.length(2)
    expect(endpoint.received.every(isSigned)).to.equal(true)
    const keys = endpoint.received.map(({ headers }) => headers['idempotency-key'])
    expect(new Set(keys).size).to.equal(1)
    expect(await row(id)).to.include({ state: 'sent', attempts: 2 })
  })

  it('is given up where the endpoint is gone, without a word of its answer or its URL (P7)', async () => {
    await run((response) => void response.writeHead(410).end('inner words'))
    const id = await program.raise('alerts/critical/system_failure')
    await program.pass(MINUTE)
    expect(endpoint.received).to.have.length(1)
    const dead = await row(id)
    expect(dead).to.include({ state: 'dead', reason: 'http_410', error: 'The endpoint answered 410' })
  })

  it('comes in the form of Slack where the endpoint is one of Slack', async () => {
    await run((response) => void response.end('ok'), 'slack')
    await program.raise('alerts/critical/system_failure')
    const body: unknown = JSON.parse(endpoint.received[0]?.body ?? '')
    expect(body).to.have.property('text', 'CRITICAL ALERT: system_failure')
    expect(body).to.have.nested.property('blocks[0].type', 'header')
  })
})

describe('a page on Telegram', () => {
  let program: Harness
  let api: HttpEndpoint
  /** Polls that wait for a press. */
  let held: ServerResponse[]
  beforeEach(async () => {
    held = []
    api = await httpEndpoint((request, response) => {
      if (request.path.endsWith('/getUpdates')) held.push(response)
      else response.end(JSON.stringify({ ok: true, result: { message_id: 7 } }))
    })
    program = await harness({
      config: {
        users: {
          bob: {
            password: 'bob-password',
            telegram_chat_id: 4712,
            contact_rules: {
              critical: [
                { after: '0s', via: ['telegram'] },
                { after: '3m', via: ['telegram'] },
              ],
            },
          },
        },
        channels: { telegram: { mode: 'live', bot_token: '1:geheim', api_root: api.url } },
      },
    })
  })
  afterEach(async () => {
    await program.close()
    await api.close()
  })

  const calls = (method: string) => api.received.filter(({ path }) => path === `/bot1:geheim/${method}`)
  const until = (condition: () => boolean) => eventually('a call of the bot', () => condition() || undefined)
  const press = async (data: string, from: number) => {
    await until(() => held.length > 0)
    const update = {
      update_id: 5,
      callback_query: { id: 'q1', from: { id: from }, message: { chat: { id: from } }, data },
    }
    const answered = calls('answerCallbackQuery').length
    held.shift()?.end(JSON.stringify({ ok: true, result: [update] }))
    await until(() => calls('answerCallbackQuery').length > answered)
    await program.quiet()
  }

  it('is acknowledged by its button, after which no page comes any more (P15)', async () => {
    const id = await program.raise('alerts/critical/system_failure')
    expect(calls('sendMessage')).to.have.length(1)
    const sent: unknown = JSON.parse(calls('sendMessage')[0]?.body ?? '')
    expect(sent).to.have.property('chat_id', 4712)
    expect(sent).to.have.nested.property('reply_markup.inline_keyboard[0][0].callback_data', `ack:${id}`)
    await press(`ack:${id}`, 4712)
    expect(await program.alert(id)).to.include({
      status: 'acknowledged',
      acknowledgedBy: 'bob',
      acknowledgedVia: 'telegram',
    })
    expect(JSON.parse(calls('answerCallbackQuery')[0]?.body ?? '')).to.deep.equal({
      callback_query_id: 'q1',
      text: 'system_failure is acknowledged by bob; the last step was 1.',
    })
    await program.pass(10 * MINUTE)
    expect(calls('sendMessage')).to.have.length(1)
  })

  it('is not acknowledged by a stranger, and goes on', async () => {
    const id = await program.raise('alerts/critical/system_failure')
    await press(`ack:${id}`, 99)
    expect(await program.alert(id)).to.include({ status: 'firing' })
    await program.pass(3 * MINUTE)
    expect(calls('sendMessage')).to.have.length(2)
  })
})
