import { expect } from 'chai'
import { effectScope, watch } from 'vue'
import { createClient, type Client } from '../../client/carillon.ts'
import { createNotification, emitEvent } from '../../client/node.ts'
import { provideClient, useEventStream, useNotificationCenter } from '../../client/vue.ts'
import { eventually } from '../support/eventually.ts'
import { HttpApi } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'
import { tabs } from './browser.ts'

const CONFIG = `
users:
  anna: { password: anna-password }
  bob: { password: bob-password }
  cem: { password: cem-password }
clients:
  shop: { token: shop-token, publish: ["notifications/#", "events/#"] }
`

describe('The Vue composables', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  const open: (() => void)[] = []
  before(async () => {
    program = await installation.start()
  })
  afterEach(() => open.splice(0).forEach((close) => close()))
  after(() => installation.remove())

  const target = () => ({ url: program.url, token: 'shop-token' })
  const clientOf = async (user: string, surroundings = tabs()): Promise<Client> => {
    const { token } = await HttpApi.login(() => program, user, `${user}-password`)
    const client = createClient({ url: program.url, token, surroundings })
    open.push(() => client.close())
    await eventually('it to be live', () => (client.state === 'live' ? true : undefined))
    return client
  }
  const inScope = <T>(work: () => T): { readonly made: T; readonly stop: () => void } => {
    const scope = effectScope()
    const made = scope.run(work)
    if (made === undefined) throw new Error('the scope made nothing')
    open.push(() => scope.stop())
    return { made, stop: () => scope.stop() }
  }
  const notify = (user: string, body: string) =>
    createNotification({ user_id: user, title: 'T', body }, target())

  it('gives exactly the ten members of X19, reactive and in step with the server and another tab', async () => {
    await notify('anna', 'old')
    const surroundings = tabs()
    const [here, there] = await Promise.all([clientOf('anna', surroundings), clientOf('anna', surroundings)])
    const { made: center } = inScope(() => useNotificationCenter(here))
    const { made: other } = inScope(() => useNotificationCenter(there))
    expect(Object.keys(center)).to.have.members([
      'notifications',
      'unreadCount',
      'hasUnread',
      'bellAnimating',
      'incomingCalls',
      'showCallNotifier',
      'markRead',
      'markAllRead',
      'deleteNotification',
      'dismissCall',
    ])
    await eventually('what was there', () => (center.unreadCount.value === 1 ? true : undefined))
    expect(center.bellAnimating.value).to.equal(false)
    const shakes: boolean[] = []
    const unwatch = watch(center.bellAnimating, (value) => shakes.push(value), { flush: 'sync' })
    open.push(unwatch)
    await notify('anna', 'new')
    for (const each of [center, other])
      await eventually('both entries', () =>
        each.notifications.value.length === 2 && each.unreadCount.value === 2 ? true : undefined,
      )
    await eventually('the bell to be still again', () => (shakes.length === 2 ? true : undefined))
    expect(shakes).to.deep.equal([true, false])
    expect(center.notifications.value.map(({ body }) => body)).to.deep.equal(['new', 'old'])
    const [newest] = center.notifications.value
    if (!newest) throw new Error('there are two')
    await center.markRead(newest)
    for (const each of [center, other])
      await eventually('one to be unread', () =>
        each.unreadCount.value === 1 && each.notifications.value[0]?.read_at !== null ? true : undefined,
      )
    await other.deleteNotification(newest)
    for (const each of [center, other])
      await eventually('one to be left', () => (each.notifications.value.length === 1 ? true : undefined))
    await center.markAllRead()
    for (const each of [center, other])
      await eventually('nothing to be unread', () => (each.hasUnread.value ? undefined : true))
  })

  it('rings for calls until each is dismissed (X19, X27)', async () => {
    const client = await clientOf('bob')
    const { made: center } = inScope(() => useNotificationCenter(client))
    for (const id of ['c-1', 'c-2'])
      await emitEvent('call.incoming', { user_id: 'bob', call_uuid: id, caller_id: '+4930' }, target())
    await eventually('both calls', () => (center.incomingCalls.value.length === 2 ? true : undefined))
    expect(center.showCallNotifier.value).to.equal(true)
    center.dismissCall('c-1')
    expect(center.incomingCalls.value.map(({ call_uuid: id }) => id)).to.deep.equal(['c-2'])
    expect(center.showCallNotifier.value).to.equal(true)
    center.dismissCall('c-2')
    expect(center.showCallNotifier.value).to.equal(false)
  })

  it('hears events by type and by wildcard until it is told to stop or its component goes (X20)', async () => {
    provideClient(await clientOf('cem'))
    const { made: events, stop } = inScope(() => useEventStream())
    const heard: string[] = []
    const exact = ({ data }: { readonly data: { readonly n: number } }) => heard.push(`exact ${data.n}`)
    events.on('order.completed', exact)
    const unsubscribe = events.on<{ n: number }>('order.*', ({ type, data }) =>
      heard.push(`${type} ${data.n}`),
    )
    const emit = (type: string, n: number) => emitEvent(type, { user_id: 'cem', n }, target())
    const last = new Promise<void>((resolve) => events.on('end', () => resolve()))
    await emit('order.completed', 1)
    await emit('order.moved.far', 2)
    await emit('orders', 3)
    await emit('end', 0)
    await last
    expect(heard).to.have.members(['exact 1', 'order.completed 1', 'order.moved.far 2'])
    unsubscribe()
    events.off('order.completed', exact)
    const { made: witness } = inScope(() => useEventStream())
    const ended = new Promise<void>((resolve) => witness.on('end', () => resolve()))
    const fresh: unknown[] = []
    events.on('order.*', () => fresh.push('heard'))
    stop()
    await emit('order.completed', 4)
    await emit('end', 0)
    await ended
    expect(heard).to.have.length(3)
    expect(fresh).to.deep.equal([])
  })
})
