import { expect } from 'chai'
import type { AlertCommandDecision } from '../../../src/notification/decision.ts'
import type { BotAnswer, TelegramBot } from '../../../src/delivery/telegram/bot.ts'
import { createContacts } from '../../../src/contact/contacts.ts'
import { createSeen } from '../../../src/delivery/answers/seen.ts'
import { createRegistry } from '../../../src/registry/registry.ts'
import { createTelegramPoll } from '../../../src/delivery/telegram/poll.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { buildDirectory } from '../../../src/directory/build.ts'
import { fault } from '../../../src/errors.ts'
import { fakeClock, turn } from '../../support/fake-clock.ts'
import { memoryRecords } from '../../support/memory-records.ts'
import { alert } from '../../support/messages.ts'
import { silentLog } from '../../support/silent-log.ts'

function directory() {
  const text =
    'users:\n  anna: { telegram_chat_id: 11 }\n  bob: { telegram_chat_id: 12 }\n  cem: {}\nclients: {}\n'
  const loaded = loadConfig({ text, env: {}, flags: {} })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  return buildDirectory(loaded.config)
}

const press = (from: number, data: unknown, chat = from) => ({
  update_id: 100,
  callback_query: { id: 'q1', from: { id: from }, message: { chat: { id: chat } }, data },
})

/** A bot that gives these answers to polls, one after the other, and then holds the poll open. */
function setUp(
  polls: readonly BotAnswer[],
  command: () => Promise<ReturnType<typeof alert>> = () =>
    Promise.resolve(alert({ status: 'acknowledged', acknowledgedBy: 'anna' })),
  registry = createRegistry(memoryRecords(), fakeClock()),
  name = 'Cem',
) {
  const calls: { method: string; parameters: Readonly<Record<string, unknown>> }[] = []
  const acted: [by: string, command: AlertCommandDecision][] = []
  const left = [...polls]
  const bot: TelegramBot = {
    call(method, parameters, { signal }) {
      calls.push({ method, parameters })
      if (method !== 'getUpdates') return Promise.resolve({ ok: true, result: true })
      const next = left.shift()
      if (next) return Promise.resolve(next)
      return new Promise((resolve) =>
        signal.addEventListener('abort', () => resolve({ ok: false, status: 0, description: 'aborted' })),
      )
    },
  }
  const { log, lines } = silentLog()
  const people = directory()
  const followed: [code: string, chatId: number][] = []
  const clock = fakeClock()
  const poll = createTelegramPoll({
    bot,
    directory: () => people,
    contacts: createContacts(registry),
    seen: createSeen(registry),
    followLink: (code, chatId) => {
      followed.push([code, chatId])
      return Promise.resolve(code === 'good' ? name : null)
    },
    command: (decision, by) => {
      acted.push([by.id, decision])
      return command()
    },
    clock,
    log,
  })
  const said = () =>
    calls.filter(({ method }) => method === 'answerCallbackQuery').map(({ parameters }) => parameters['text'])
  return { poll, calls, acted, followed, lines, clock, said, registry }
}

const updates = (...result: unknown[]): BotAnswer => ({ ok: true, result })
const settle = async () => {
  for (let round = 0; round < 5; round++) await turn()
}

describe('the poll for Telegram buttons', () => {
  it('acts in the name of the person whose chat it is, answers with the outcome and asks for the next', async () => {
    const { poll, acted, said, calls } = setUp([updates(press(11, 'ack:a1'))])
    poll.start()
    await settle()
    expect(acted).to.deep.equal([['anna', { kind: 'alert-command', verb: 'ack', alertId: 'a1' }]])
    expect(said()).to.deep.equal(['disk_full is acknowledged by anna; the last step was 1.'])
    expect(calls.at(-1)?.parameters).to.include({ offset: 101, timeout: 25 })
    await poll.stop()
  })

  it('does a press that is given again after a restart once, and answers it (security 25)', async () => {
    const before = setUp([updates(press(11, 'escalate:a1'))])
    before.poll.start()
    await settle()
    await before.poll.stop()
    const after = setUp([updates(press(11, 'escalate:a1'))], undefined, before.registry)
    after.poll.start()
    await settle()
    expect(before.acted).to.have.length(1)
    expect(after.acted).to.deep.equal([])
    expect(after.said()).to.deep.equal(['This was done already.'])
    await after.poll.stop()
  })

  const start = (text: unknown, chat: object = { id: 13, type: 'private' }) => ({
    update_id: 7,
    message: { from: { id: 13 }, chat, text },
  })
  const texts = ({ calls }: ReturnType<typeof setUp>) =>
    calls.filter(({ method }) => method === 'sendMessage').map(({ parameters }) => parameters)

  it('takes the chat of whoever follows a link, and says whose it is now', async () => {
    const linked = setUp([updates(start('/start good'))])
    linked.poll.start()
    await settle()
    expect(linked.followed).to.deep.equal([['good', 13]])
    expect(texts(linked)).to.deep.equal([{ chat_id: 13, text: 'Hello Cem, this chat is yours now.' }])
    expect(linked.calls[0]?.parameters['allowed_updates']).to.deep.equal(['callback_query', 'message'])
    await linked.poll.stop()
  })

  it('says sorry for links that are none, five times a minute and no more', async () => {
    const wrong = setUp([updates(...Array.from({ length: 8 }, () => start('/start guess')))])
    wrong.poll.start()
    for (let round = 0; round < 10; round++) await settle()
    expect(wrong.followed).to.have.length(8)
    expect(texts(wrong)).to.have.length(5)
    await wrong.poll.stop()
  })

  const noStarts: readonly [title: string, update: unknown][] = [
    ['no code', start('/start')],
    ['other words', start('good')],
    ['more behind the code', start('/start good now')],
    ['the chat of a group', start('/start good', { id: -13, type: 'group' })],
    ['the chat of somebody else', start('/start good', { id: 14, type: 'private' })],
    ['a channel with the same number', start('/start good', { id: 13, type: 'channel' })],
    ['a text that is none', start({ text: '/start good' })],
  ]
  for (const [title, update] of noStarts) {
    it(`follows no link in a message with ${title}`, async () => {
      const ignored = setUp([updates(update)])
      ignored.poll.start()
      await settle()
      expect(ignored.followed).to.deep.equal([])
      expect(texts(ignored)).to.deep.equal([])
      await ignored.poll.stop()
    })
  }

  const strangers: readonly [title: string, update: unknown][] = [
    ['somebody without a place in the configuration', press(99, 'ack:a1')],
    ['somebody in a group that a person was moved to', press(12, 'ack:a1', -500)],
    ['somebody in the chat of another person', press(12, 'ack:a1', 11)],
    ['nobody at all', { update_id: 1, callback_query: { id: 'q1', data: 'ack:a1' } }],
    [
      'somebody whose id is a text',
      { update_id: 1, callback_query: { id: 'q', from: { id: '11' }, data: 'ack:a1' } },
    ],
    ['a button of something else', press(11, 'menu:3')],
    ['a button without data', press(11, undefined)],
    ['a message instead of a button', { update_id: 1, message: { text: 'ack:a1', chat: { id: 11 } } }],
    ['nonsense', 'x'],
  ]
  for (const [title, update] of strangers) {
    it(`does nothing for ${title}, and goes on`, async () => {
      const { poll, acted, calls, clock } = setUp([updates(update)])
      poll.start()
      await settle()
      await clock.pass(1000)
      expect(acted).to.deep.equal([])
      expect(calls.filter(({ method }) => method === 'getUpdates').length).to.be.at.least(2)
      await poll.stop()
    })
  }

  it('tells a person what the alert refuses, and survives what nobody expects', async () => {
    const refused = setUp([updates(press(11, 'resolve:a1'))], () => Promise.reject(fault('alert.forbidden')))
    refused.poll.start()
    await settle()
    expect(refused.said()).to.deep.equal(['This alert is not yours'])
    await refused.poll.stop()
    const broken = setUp([updates(press(11, 'ack:a1'))], () => Promise.reject(new Error('inner words')))
    broken.poll.start()
    await settle()
    expect(broken.said()).to.deep.equal(['That did not work, please try again.'])
    await broken.poll.stop()
  })

  it('waits as long as Telegram wants, and longer after every failure (O12)', async () => {
    const busy: BotAnswer = { ok: false, status: 429, description: 'Too Many Requests', retryAfterMs: 14_000 }
    const down: BotAnswer = { ok: false, status: 0, description: 'ECONNREFUSED' }
    const { poll, calls, clock, lines } = setUp([busy, down, updates(press(11, 'ack:a1'))])
    poll.start()
    await settle()
    await clock.pass(13_999)
    expect(calls).to.have.length(1)
    await clock.pass(1)
    await settle()
    expect(calls).to.have.length(2)
    await clock.pass(1999)
    expect(calls).to.have.length(2)
    await clock.pass(1)
    await settle()
    expect(calls.map(({ method }) => method)).to.include('answerCallbackQuery')
    expect(lines.filter(({ level }) => level >= 40)).to.have.length(1)
    await poll.stop()
  })

  it('greets in a message that the Bot API takes, however long the name of the person is', async () => {
    const start = { text: '/start good', from: { id: 11 }, chat: { id: 11, type: 'private' } }
    const polls = [updates({ update_id: 100, message: start })]
    const { poll, calls } = setUp(polls, undefined, undefined, 'Cem\n😀'.repeat(900))
    poll.start()
    await settle()
    const [greeting] = calls.filter(({ method }) => method === 'sendMessage')
    // https://core.telegram.org/bots/api#sendmessage
    expect(String(greeting?.parameters['text'])).to.have.lengthOf.at.most(4096)
    expect(greeting?.parameters['text']).to.match(/^Hello Cem 😀Cem .*…, this chat is yours now\.$/)
    await poll.stop()
  })

  it('does not spin when a server answers polls at once', async () => {
    const { poll, calls, clock } = setUp(Array.from({ length: 50 }, () => updates()))
    poll.start()
    await settle()
    expect(calls).to.have.length(1)
    await clock.pass(3000)
    expect(calls).to.have.length(4)
    await poll.stop()
  })

  it('stops while it waits, and leaves nothing behind', async () => {
    const { poll, clock } = setUp([])
    poll.start()
    await settle()
    await poll.stop()
    expect(clock.waiting).to.deep.equal([])
  })
})
