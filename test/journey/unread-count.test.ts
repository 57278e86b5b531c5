import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { HttpApi } from '../support/http-api.ts'
import { seededRandom } from '../support/seeded-random.ts'

const PEOPLE = ['anna', 'bob', 'cem', 'dora'] as const
const GROUPS = [[], ['ops'], ['support'], ['ops', 'support']] as const
const STEPS = 120

interface Entry {
  readonly id: string
  readonly read: boolean
}

/** Every way in which an inbox changes, in an order that a seed decides; every way to count it has to agree with it. */
describe('The unread count', function () {
  this.timeout(120_000)
  let h: Harness
  beforeEach(async () => {
    h = await harness()
  })
  afterEach(() => h.close())

  for (const seed of [1, 2, 3]) {
    it(`is what a recount of the entries gives, on every interface and after every step (X22, X26, C01, seed ${seed})`, async () => {
      const random = seededRandom(seed)
      const url = () => ({ url: h.app.httpUrl })
      const api = new Map<string, HttpApi>()
      for (const id of PEOPLE) api.set(id, await HttpApi.login(url, id, `${id}-password`))
      const as = (id: string) => api.get(id)!
      const groups = new Map<string, readonly string[]>(PEOPLE.map((id) => [id, random.pick(GROUPS)]))
      const regroup = () => {
        const users = PEOPLE.map(
          (id) => [id, { password: `${id}-password`, groups: groups.get(id) }] as const,
        )
        h.reconfigure({ users: Object.fromEntries(users) })
      }
      regroup()

      const entries = async (id: string) =>
        (await as(id).get<{ notifications: readonly Entry[] }>('/v1/notifications?limit=1000')).notifications
      const gone: string[] = []
      const some = async (id: string) => {
        const there = await entries(id)
        return there.length === 0 ? 'none' : random.pick(there).id
      }
      const steps: readonly ((id: string) => Promise<unknown>)[] = [
        (id) => h.publish(`notifications/realtime/user/${id}`, { message: 'm', ...customer() }),
        (id) =>
          h.publish(`notifications/realtime/user/${id}`, { message: 'm', id: `once-${random.below(5)}` }),
        () => h.publish('notifications/realtime/broadcast', { message: 'to all' }),
        () =>
          h.publish('notifications/realtime/broadcast', {
            message: 'to some',
            target_groups: [random.pick(['ops', 'support'])],
          }),
        () => h.publish(`notifications/realtime/group/${random.pick(['ops', 'support'])}`, { message: 'g' }),
        async (id) => as(id).request('PUT', `/api/v1/notifications/${await some(id)}/read`),
        async (id) => as(id).request('PATCH', `/v1/notifications/${await some(id)}/read`, '{"read":false}'),
        async (id) =>
          h.publish(
            `users/${id}/notifications/${await some(id)}/${random.pick(['read', 'unread', 'delete'])}`,
            '',
            {
              as: id,
            },
          ),
        async (id) => {
          const chosen = await some(id)
          gone.push(chosen)
          return as(id).request('DELETE', `/api/v1/notifications/${chosen}`)
        },
        // Also what was never theirs, and what is there.
        (id) =>
          as(id).request(
            'POST',
            `/api/v1/notifications/${gone.length > 0 ? random.pick(gone) : 'x'}/restore`,
          ),
        (id) =>
          random.chance(0.3) ? as(id).request('POST', '/api/v1/notifications/read-all') : Promise.resolve(),
        async (id) => {
          groups.set(id, random.pick(GROUPS))
          regroup()
        },
      ]
      const customer = () => (random.chance(0.5) ? { customer_id: 'c-1' } : {})

      for (let step = 0; step < STEPS; step++) {
        const at = `seed ${seed}, step ${step}`
        // Some at the same time, so that they share a commit.
        await Promise.all(
          Array.from({ length: 1 + random.below(3) }, () => random.pick(steps)(random.pick(PEOPLE))),
        )
        if (step === STEPS / 2) await h.restart()
        const id = random.pick(PEOPLE)
        const found = await entries(id)
        const unread = found.filter(({ read }) => !read).length
        const counted = { total: found.length, unread }
        expect(await as(id).get('/api/v1/notifications/summary'), at).to.deep.equal(counted)
        expect(await h.unread(id), at).to.deep.equal(counted)
        for (const [query, count] of [
          ['status=all', found.length],
          ['status=unread', unread],
          ['status=read', found.length - unread],
        ] as const) {
          const page = await as(id).get<{ total: number }>(`/v1/notifications?limit=1&${query}`)
          expect(page.total, `${at} ${query}`).to.equal(count)
        }
        const ofCustomer = await as(id).get<{ total: number; notifications: readonly unknown[] }>(
          '/v1/notifications?limit=1000&customer_id=c-1',
        )
        expect(ofCustomer.total, at).to.equal(ofCustomer.notifications.length)
      }
      for (const id of PEOPLE) {
        const device = await h.client(id)
        await device.subscribe(`users/${id}/unread`)
        await device.caughtUp()
        const found = await entries(id)
        expect(device.on(`users/${id}/unread`).at(-1)?.body).to.include({
          total: found.length,
          unread: found.filter(({ read }) => !read).length,
        })
      }
      expect(await h.app.engine.store.conservation('all')).to.include({ broken: 0 })
    })
  }
})
