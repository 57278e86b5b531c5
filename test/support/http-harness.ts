import { Value } from 'typebox/value'
import { createAuthenticator, type Authenticator } from '../../src/access/authenticate.ts'
import { ConfigSchema, type Config } from '../../src/config/schema/schema.ts'
import type { Team } from '../../src/directory/directory.ts'
import type { App } from '../../src/http/app.ts'
import type { TopicEntry } from '../../src/http/asyncapi.ts'
import type { DutyDeps } from '../../src/http/families/oncall/changes.ts'
import { createHttpServer, type HttpOptions } from '../../src/http/server.ts'
import type { Streams } from '../../src/live/stream/streams.ts'
import type { NotiPy } from '../../src/notipy/notipy.ts'
import type { PreviewDeps } from '../../src/template/preview.ts'
import { DEFAULT_TENANT, fakeDirectory, machine, OTHER_TENANT, person } from './fake-directory.ts'
import { fakeEngine, type FakeEngine } from './fake-engine.ts'

export const JWT_SECRET = Buffer.alloc(32, 7)

/** People and machines of two tenants. Every password is `{id}-password`, every token `{id}-token`. */
export const PEOPLE = [
  person('anna', { password: 'anna-password', groups: ['ops'], email: 'anna@example.org', name: 'Anna K.' }),
  person('bob', { password: 'bob-password' }),
  person('carl', { password: 'carl-password', customers: ['acme', 'globex'] }),
  person('olga', { password: 'olga-password', roles: ['user', 'ops'] }),
  person('stranger', { password: 'stranger-password' }),
  person('eve', { password: 'eve-password', roles: ['admin'], tenant: OTHER_TENANT }),
]
const MACHINES = [
  machine('db', { publish: ['alerts/#', 'notifications/#', 'plain/#'] }),
  machine('panel', { publish: ['alerts/+/ack'] }),
  machine('tool', { roles: ['ops'] }),
  machine('mute', { roles: [] }),
  machine('guest', { publish: ['plain/#'] }),
]
const TEAMS: readonly Team[] = [
  {
    name: 'platform',
    tenant: DEFAULT_TENANT,
    alertTypes: ['disk'],
    schedule: { timezone: 'UTC', layers: [], overrides: [] },
    policy: { steps: [{ notify: ['oncall'], waitMs: 300_000 }], repeat: 2, ackTimeoutMs: 1_800_000 },
    members: ['anna', 'bob'],
  },
]

export const TOPICS: readonly TopicEntry[] = [
  {
    pattern: 'notifications/realtime/user/{user_id}',
    direction: 'publish',
    summary: 'A notification to one person',
    qos: 1,
    example: { message: 'Hello' },
  },
  { pattern: 'events/{type...}', direction: 'publish', summary: 'A domain event', qos: 1 },
  {
    pattern: 'state/alerts/{alert_id}',
    direction: 'subscribe',
    summary: 'An open alert',
    qos: 1,
    retained: true,
  },
]

/** Parts that are only described, never called: with them every route is there. */
const UNCALLED = {} as NotiPy & PreviewDeps & Streams & DutyDeps
export const COMPLETE: Partial<HttpOptions> = {
  notiPy: UNCALLED,
  preview: UNCALLED,
  streams: UNCALLED,
  duty: UNCALLED,
  reload: () => ({ ok: true, changed: [], restart: [] }),
}

export interface HttpHarness {
  readonly app: App
  /** Every route that was registered, but for those that answer HEAD and OPTIONS. */
  readonly routes: readonly { readonly method: string; readonly url: string }[]
  readonly engine: FakeEngine
  readonly authenticator: Authenticator
  /** `Authorization` of a person or machine. */
  bearer(id: string): Promise<{ authorization: string }>
  close(): Promise<void>
}

/** The settings of an empty configuration file with these on top. */
export function configWith(given: { server?: object; auth?: object } = {}): Config {
  const clients = Object.fromEntries(MACHINES.map(({ id }) => [id, {}]))
  return Value.Default(ConfigSchema, { ...given, clients }) as Config
}

/** The HTTP side over a fake engine, with the real authenticator. */
export async function httpHarness(
  given: { server?: object; auth?: object; options?: Partial<HttpOptions> } = {},
): Promise<HttpHarness> {
  const config = configWith(given)
  const directory = fakeDirectory(PEOPLE, MACHINES, TEAMS)
  const engine = fakeEngine(directory, config)
  const authenticator = createAuthenticator({
    directory: () => directory,
    config: () => config,
    clock: engine.clock,
    jwtSecret: JWT_SECRET,
    log: engine.log,
  })
  const app = createHttpServer(engine, {
    authenticator,
    topics: TOPICS,
    version: '0.1.0',
    onCall: {
      currentShift: (_schedule, at) => ({ user: 'anna', users: ['anna'], from: null, to: at + 60_000 }),
      nextOnCall: () => 'bob',
      shifts: (_schedule, from, to) => [{ user: 'anna', from, to }],
      gaps: () => [],
    },
    ...given.options,
  })
  const routes: { method: string; url: string }[] = []
  app.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat())
      if (name !== 'HEAD' && name !== 'OPTIONS') routes.push({ method: name, url })
  })
  await app.ready()
  return {
    app,
    routes,
    engine,
    authenticator,
    async bearer(id) {
      if (directory.client(id)) return { authorization: `Bearer ${id}-token` }
      const { token } = await authenticator.login(id, `${id}-password`, '127.0.0.1')
      return { authorization: `Bearer ${token}` }
    },
    close: () => app.close(),
  }
}
