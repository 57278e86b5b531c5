import { expect } from 'chai'
import type { Delivery } from '../../src/delivery/delivery.ts'
import { turn } from '../support/fake-clock.ts'
import { harness, type Harness } from '../support/harness.ts'
import { eventually } from '../support/eventually.ts'
import { mailServer, type MailServer } from '../support/mail-server.ts'
import { providerServer, type ProviderServer } from '../support/provider-server.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const PEOPLE = 300
const BROKEN = 'u007@example.org'

const nameOf = (index: number) => `u${String(index).padStart(3, '0')}`
/** What the numbers behind each SMS provider begin with. */
const PREFIXES = ['+4915123400', '+447700900', '+12025550'] as const

/** 30 people behind the slow one, 12 behind the dead one. */
const providerOf = (index: number) => (index % 10 === 0 ? 0 : index % 25 === 1 ? 1 : 2)
const GOOD = 258

function people() {
  return Object.fromEntries(
    Array.from({ length: PEOPLE }, (_, index) => [
      nameOf(index),
      {
        name: nameOf(index),
        groups: ['everybody'],
        email: `${nameOf(index)}@example.org`,
        phone: `${PREFIXES[providerOf(index)]}${String(index).padStart(3, '0')}`,
      },
    ]),
  )
}

describe('An alert to 300 people, one of whom has a broken address, over a dead, a slow and a good provider', () => {
  let mail: MailServer
  let slow: ProviderServer
  let good: ProviderServer
  let dead: ProviderServer
  let bell: Harness

  beforeEach(async () => {
    mail = await mailServer((to) => (to === BROKEN ? 550 : null))
    ;[slow, good, dead] = await Promise.all([providerServer(), providerServer(), providerServer()])
    slow.answer = () => 'hang'
    good.answer = () => ({ status: 200, body: { id: 'g1' } })
    await dead.close()
    const gateway = (name: string, { url }: ProviderServer, country: string) => ({
      name,
      provider: 'http',
      url: `${url}/send`,
      countries: [country],
    })
    bell = await harness({
      config: {
        users: people(),
        channels: {
          email: { mode: 'live', smtp_url: mail.url },
          sms: {
            mode: 'live',
            providers: [
              gateway('slow', slow, '+49'),
              gateway('dead', dead, '+44'),
              gateway('good', good, '+1'),
            ],
          },
          webhook: {
            mode: 'live',
            allow: ['127.0.0.1'],
            endpoints: {
              slow: { url: `${slow.url}/hook` },
              dead: { url: `${dead.url}/hook` },
              good: { url: `${good.url}/hook` },
            },
          },
        },
        teams: {
          platform: {
            alert_types: ['system_failure'],
            escalation: {
              steps: [
                { notify: ['webhook:slow', 'webhook:dead', 'group:everybody', 'webhook:good'], wait: '2h' },
              ],
            },
          },
        },
      },
    })
  })

  afterEach(async () => {
    // Whoever still waits for the slow one is answered, or the end would wait for it.
    slow.answer = () => ({ status: 200 })
    slow.release()
    await bell.close()
    await Promise.all([mail.close(), slow.close(), good.close()])
  })

  /** By the provider behind it. */
  const behind = (delivery: Delivery): string => {
    const { channel, address } = delivery
    if (channel === 'sms')
      return `sms ${['slow', 'dead', 'good'][PREFIXES.findIndex((prefix) => address?.startsWith(prefix))]}`
    if (channel === 'webhook')
      return `webhook ${[slow, dead, good].findIndex(({ url }) => address?.startsWith(url)) === 2 ? 'good' : 'bad'}`
    return channel === 'email' && address === BROKEN ? 'email broken' : channel
  }
  const byProvider = async (id: string) => {
    const rows = await bell.app.engine.store.deliveries({
      tenant: bell.app.engine.directory.principal('anna')!.tenant,
      subjectId: id,
      limit: 5000,
    })
    const groups = new Map<string, Map<string, number>>()
    for (const delivery of rows.items) {
      const states = groups.get(behind(delivery)) ?? new Map<string, number>()
      groups.set(behind(delivery), states)
      const state = [delivery.state, delivery.reason].filter(Boolean).join(' ')
      states.set(state, (states.get(state) ?? 0) + 1)
    }
    return Object.fromEntries([...groups].map(([name, states]) => [name, Object.fromEntries(states)]))
  }

  it('serves everybody else before the slow one is given up, and ends what cannot arrive in named states (P4, P6, P7, P24)', async () => {
    const before = bell.now
    const outcome = await bell.accepted('alerts/critical/system_failure', { message: 'All down' })
    const id = String(outcome['alert_id'])
    // Time stands still: nothing that waits for a time-out can have been given up.
    await eventually(
      'everybody else to be served',
      async () => {
        await turn()
        const found = await byProvider(id)
        const [mails = {}, texts = {}, hook = {}] = [found['email'], found['sms good'], found['webhook good']]
        return mails['sent'] === PEOPLE && texts['sent'] === GOOD && hook['sent'] === 1 ? found : undefined
      },
      60_000,
    )
    expect(bell.now).to.equal(before)
    expect(slow.hanging).to.be.within(1, 20)
    expect(new Set(mail.taken.map(({ to }) => to)).size).to.equal(PEOPLE)
    expect(good.asked.filter(({ path }) => path === '/send')).to.have.length(GOOD)

    // The slow one breaks off and is well from then on; the dead one never is.
    slow.answer = () => ({ status: 200 })
    slow.release()
    await bell.pass(70 * MINUTE)
    const ended = await byProvider(id)
    expect(ended).to.deep.include({
      'email broken': { 'dead smtp_550': 1 },
      'sms slow': { sent: 30 },
      'sms dead': { 'dead budget_exhausted': 12 },
      'webhook bad': { sent: 1, 'dead budget_exhausted': 1 },
    })
    // Those wait for their person to connect, and nothing else waits.
    expect(ended['realtime']).to.deep.equal({ pending: PEOPLE + 1 })
    const { broken, deliveries } = await bell.app.engine.store.conservation()
    expect([broken, deliveries.sending]).to.deep.equal([0, 0])
    const alarms = (await bell.openAlerts()).filter(({ type }) => type.startsWith('carillon_'))
    expect(alarms.map(({ dedupKey }) => dedupKey).toSorted()).to.deep.equal([
      'carillon:provider_failing:sms:dead',
      'carillon:provider_failing:webhook:dead',
    ])
  }).timeout(180_000)
})
