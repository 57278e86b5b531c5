import { expect } from 'chai'
import { createClient, type CarillonError, type Client, type ClientOptions } from '../../client/carillon.ts'
import { effectScope } from 'vue'
import { createNotification } from '../../client/node.ts'
import { useNotificationCenter } from '../../client/vue.ts'
import { browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { HttpApi } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'
import { BROWSER, tabs } from './browser.ts'

const NAMES = ['anna', 'bob', 'cem', 'dora'] as const
const CONFIG = `
users:
${NAMES.map((name) => `  ${name}: { password: ${name}-password }`).join('\n')}
clients:
  shop: { token: shop-token, publish: ["notifications/#"] }
`

describe('A person who signs out of the client library', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  const open: Client[] = []
  before(async () => {
    program = await installation.start()
  })
  afterEach(() => open.splice(0).forEach((client) => client.close()))
  after(() => installation.remove())

  const tokenOf = async (user: string) => (await HttpApi.login(() => program, user, `${user}-password`)).token
  const live = async (options: ClientOptions): Promise<Client> => {
    const client = createClient({ url: program.url, share: false, surroundings: BROWSER, ...options })
    open.push(client)
    await eventually('it to be live', () => (client.state === 'live' ? true : undefined))
    return client
  }
  const failure = async (work: Promise<unknown>) => {
    const error = (await work.then(
      () => null,
      (reason: unknown) => reason,
    )) as CarillonError | null
    return error && [error.status, error.code]
  }

  it('closes the one connection of all tabs, and leaves nothing that could be used in any of them', async () => {
    const surroundings = tabs()
    const tokens = await Promise.all([tokenOf('anna'), tokenOf('anna')])
    const all = await Promise.all(tokens.map((token) => live({ token, share: true, surroundings })))
    const told = all.map((client) => {
      const heard: string[] = []
      client.events.on('signed_out', ({ type }) => heard.push(type))
      client.onState((state) => heard.push(state))
      return heard
    })
    const follower = all.findIndex(({ transport }) => transport === null)
    await all[follower]?.logout()
    await eventually('the other tab', () => (told.every(({ length }) => length === 2) ? true : undefined))
    expect(told).to.deep.equal([
      ['offline', 'signed_out'],
      ['offline', 'signed_out'],
    ])
    expect(all.map(({ state, transport }) => [state, transport])).to.deep.equal([
      ['offline', null],
      ['offline', null],
    ])
    const page = async () => (await fetch(`${program.url}/metrics`)).text()
    await eventually('the connection to end', async () =>
      /carillon_connections\{transport="ws"\} 0\n/.test(await page()) ? true : undefined,
    )
    for (const client of all)
      expect(await failure(client.notifications.summary())).to.deep.equal([401, 'auth.missing'])
    const response = await fetch(`${program.url}/v1/users/me`, {
      headers: { authorization: `Bearer ${tokens[follower] ?? ''}` },
    })
    expect(response.status).to.equal(401)
    const again = all[0]
    await again?.login('bob', 'bob-password')
    await eventually('it to be live again', () => (again?.state === 'live' ? true : undefined))
    expect(await again?.notifications.summary()).to.deep.equal({ total: 0, unread: 0 })
  })

  it('leaves nothing of theirs in the notification centre of the page (X19)', async () => {
    const client = await live({ token: await tokenOf('bob') })
    await createNotification(
      { user_id: 'bob', title: 'T', body: 'private' },
      { url: program.url, token: 'shop-token' },
    )
    const scope = effectScope()
    const center = scope.run(() => useNotificationCenter(client))
    if (!center) throw new Error('the scope made nothing')
    await eventually('the entry', () => (center.notifications.value.length === 1 ? true : undefined))
    await client.logout()
    expect([center.notifications.value, center.unreadCount.value, center.hasUnread.value]).to.deep.equal([
      [],
      0,
      false,
    ])
    scope.stop()
  })

  it('is not asked for a token any more', async () => {
    let asked = 0
    const client = await live({ getToken: () => ((asked += 1), tokenOf('cem')) })
    const before = asked
    await client.logout()
    expect(await failure(client.alerts.list())).to.deep.equal([401, 'auth.missing'])
    await client.logout()
    expect(asked).to.equal(before)
  })

  it('is signed out here also when the server cannot be told', async () => {
    const token = await tokenOf('cem')
    let broken = false
    const client = await live({
      token,
      surroundings: {
        ...BROWSER,
        fetch: (...request) => (broken ? Promise.reject(new Error('no network')) : fetch(...request)),
      },
    })
    broken = true
    expect(await failure(client.logout())).to.deep.equal([0, 'network'])
    broken = false
    expect(client.state).to.equal('offline')
    expect(await failure(client.notifications.summary())).to.deep.equal([401, 'auth.missing'])
  })

  it('is forgotten as a device on request, and kept otherwise', async () => {
    const { subscription } = browser('https://fcm.googleapis.com/fcm/send/of-dora')
    let held = false
    const ofBrowser = {
      toJSON: () => subscription,
      unsubscribe: async () => {
        held = false
        return true
      },
    }
    const registration = {
      pushManager: {
        getSubscription: async () => (held ? ofBrowser : null),
        subscribe: async () => {
          held = true
          return ofBrowser
        },
      },
    }
    const devices = async () => {
      const api = await HttpApi.login(() => program, 'dora', 'dora-password')
      return (await api.get<{ items: readonly unknown[] }>('/v1/users/me/devices')).items.length
    }
    const client = await live({ token: await tokenOf('dora') })
    expect(await client.push.unsubscribe(registration)).to.equal(false)
    await client.push.subscribe(registration)
    await client.logout()
    expect([held, await devices()]).to.deep.equal([true, 1])
    await client.login('dora', 'dora-password')
    await client.logout({ forgetDevice: true })
    expect([held, await devices()]).to.deep.equal([false, 0])
  })
})
