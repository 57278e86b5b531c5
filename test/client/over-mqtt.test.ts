import { expect } from 'chai'
import mqtt from 'mqtt'
import { createClient, type AppNotification, type Client, type ClientOptions } from '../../client/carillon.ts'
import { createNotification, emitEvent, publish } from '../../client/node.ts'
import { eventually } from '../support/eventually.ts'
import { flakyProxy } from '../support/flaky-proxy.ts'
import { HttpApi } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'
import { BROWSER } from './browser.ts'

const CONFIG = `
users:
  anna: { password: anna-password }
  bob: { password: bob-password }
  cem: { password: cem-password }
clients:
  shop: { token: shop-token, publish: ["notifications/#", "events/#", "alerts/#"] }
teams:
  platform: { alert_types: ["*"], schedule: { layers: [{ rotate: [anna] }] } }
`

describe('The client library over MQTT', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  const open: { close(): unknown }[] = []
  before(async () => {
    program = await installation.start()
  })
  afterEach(() => Promise.all(open.splice(0).map((each) => each.close())))
  after(() => installation.remove())

  const target = () => ({ url: program.url, token: 'shop-token' })
  const notify = (user: string, body: string) =>
    createNotification({ user_id: user, title: 'T', body }, target())
  const live = async (user: string, options: ClientOptions = {}): Promise<Client> => {
    const { token } = await HttpApi.login(() => program, user, `${user}-password`)
    const client = createClient({
      url: program.url,
      token,
      share: false,
      surroundings: BROWSER,
      transport: 'mqtt',
      ...options,
    })
    open.push(client)
    await eventually('it to be live', () => (client.state === 'live' ? true : undefined))
    return client
  }

  it('tells what comes from now on as the other transports do: notifications, pages, the count, events', async () => {
    await notify('anna', 'old')
    const proxy = await flakyProxy(program.httpPort)
    open.push(proxy)
    const subject = await live('anna', { url: proxy.url, mqtt })
    const other = await live('anna', { transport: 'ws' })
    const heardBy = (client: Client) => {
      const heard: unknown[] = []
      for (const pattern of ['notification.created', 'critical_alert', 'order.*'])
        client.events.on(pattern, (event) => heard.push(event))
      return heard
    }
    const [over, beside] = [heardBy(subject), heardBy(other)]
    const counts: number[] = []
    subject.events.on<{ unread: number }>('unread', ({ data }) => counts.push(data.unread))
    const { uuid } = (await notify('anna', 'new')) as unknown as AppNotification
    await publish('alerts/critical/fire', { message: 'Fire' }, target())
    await emitEvent('order.done', { user_id: 'anna', total: 5 }, { ...target(), source: 'till' })
    const all = () => (over.length >= 3 && beside.length >= 3 ? true : undefined)
    await eventually('all three', all)
    const byType = (events: readonly unknown[]) =>
      (events as readonly { type: string }[]).toSorted((a, b) => (a.type < b.type ? -1 : 1))
    expect(byType(over)).to.deep.equal(byType(beside))
    expect(byType(over)[1]).to.have.nested.property('data.uuid', uuid)
    await eventually('both to be counted', () => (counts.at(-1) === 2 ? true : undefined))
    // The page and what is unread come again over a new connection, and are known.
    const states: string[] = []
    subject.onState((state) => states.push(state))
    proxy.drop()
    await eventually('it to be live again', () => (states.at(-1) === 'live' ? true : undefined))
    await notify('anna', 'last')
    await eventually('the last', () => (counts.at(-1) === 3 ? true : undefined))
    expect(over).to.have.length(4)
    expect(subject.transport).to.equal('mqtt')
  })

  it('goes on over a WebSocket where the package is missing, and says what to do', async () => {
    const warnings: unknown[] = []
    const { warn } = console
    console.warn = (...words: unknown[]) => void warnings.push(words[0])
    try {
      const subject = await live('bob', { mqtt: () => Promise.reject(new Error('Cannot find package')) })
      expect(subject.transport).to.equal('ws')
    } finally {
      console.warn = warn
    }
    expect(warnings[0]).to.match(/npm install mqtt/)
  })

  it('leaves no connection and no session behind when it is closed, whatever it was about to do', async () => {
    const count = async () => {
      const page = await (await fetch(`${program.url}/metrics`)).text()
      return Number(/carillon_connections\{transport="mqtt_ws"\} (\d+)/.exec(page)?.[1] ?? 0)
    }
    const subject = await live('cem')
    await eventually('it to be connected', async () => ((await count()) > 0 ? true : undefined))
    subject.close()
    const { token } = await HttpApi.login(() => program, 'cem', 'cem-password')
    for (let turn = 0; turn < 5; turn++) {
      const early = createClient({ url: program.url, token, share: false, transport: 'mqtt', mqtt })
      for (let wait = 0; wait < turn; wait++) await fetch(`${program.url}/metrics`)
      early.close()
    }
    await eventually('all of them to end', async () => ((await count()) === 0 ? true : undefined))
  })
})
