import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { routes } from '../../routes/index.ts'
import { startApp, type RunningApp } from '../../src/app.ts'
import { formatFault } from '../../src/config/fault.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { connectClient, type TestClient } from '../broker/harness.ts'
import { silentLog, type LogLine } from './silent-log.ts'
import { startRedis, type RedisServer } from './redis-server.ts'
import { until } from './eventually.ts'

/** As in the harness: every password is `{id}-password`, every token `{id}-token`; Bob is on call. */
const CONFIG = {
  users: {
    anna: { password: 'anna-password', roles: ['user', 'admin'], email: 'anna@example.org', groups: ['ops'] },
    bob: { password: 'bob-password', phone: '+4915112345672', groups: ['ops'] },
  },
  clients: {
    device: {
      token: 'device-token',
      publish: ['notifications/#', 'alerts/#', 'events/#', 'plain/#', 'heartbeats/#'],
      subscribe: ['plain/#'],
    },
    watched: {
      token: 'watched-token',
      publish: [],
      subscribe: [],
      presence: { grace: '1s', alert: { severity: 'warning', type: 'gone' } },
    },
    other: { token: 'other-token', publish: ['plain/#', 'heartbeats/#'], subscribe: ['plain/#'] },
  },
  heartbeats: {
    backup: { every: '2s', grace: '1s', alert: { severity: 'warning', type: 'missed' } },
  },
  teams: {
    platform: {
      alert_types: ['system_failure'],
      schedule: { layers: [{ rotate: ['bob'] }] },
      escalation: { steps: [{ notify: ['oncall'], wait: '5m' }] },
    },
  },
}

export interface PairNode {
  readonly app: RunningApp
  readonly lines: readonly LogLine[]
  client(id: string, options?: Parameters<typeof connectClient>[1]): Promise<TestClient>
  stop(): Promise<void>
  /** Ends it without any of its goodbyes reaching Redis. */
  readonly store: Store
}

/** Several whole programs in this process that share one store and a real Redis, on real time. */
export interface NodePair {
  readonly redis: RedisServer
  readonly a: PairNode
  readonly b: PairNode
  start(config?: Readonly<Record<string, unknown>>): Promise<PairNode>
  end(): Promise<void>
}

export async function nodePair(config: Readonly<Record<string, unknown>> = {}): Promise<NodePair> {
  const redis = await startRedis()
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'carillon-'))
  const { log } = silentLog()
  const store = await openStore({
    path: folder,
    log,
    limits: { operations: 10_000, bytes: 64 * 1024 * 1024 },
    ballastBytes: 0,
  })
  const running: PairNode[] = []
  const clients: TestClient[] = []
  const start = async (more: Readonly<Record<string, unknown>> = {}) => {
    const flags = { data: folder, host: '127.0.0.1', httpPort: '0', mqttPort: '0' }
    const loaded = loadConfig({ text: JSON.stringify({ ...CONFIG, ...config, ...more }), env: {}, flags })
    if (!loaded.ok) throw new Error(loaded.faults.map(formatFault).join('\n'))
    const own = silentLog()
    const app = await startApp({
      config: loaded.config,
      router: routes(),
      log: own.log,
      version: '0.0.0-test',
      reread: (current) => ({ ok: true, config: current, changed: [], restart: [] }),
      shared: { store, redisUrl: redis.url },
    })
    const node: PairNode = {
      app,
      store,
      lines: own.lines,
      async client(id, options = {}) {
        const secret = app.engine.directory.user(id) ? `${id}-password` : `${id}-token`
        const client = await connectClient(app.mqttUrl, { username: id, password: secret, ...options })
        clients.push(client)
        return client
      },
      stop: () => app.stop(2000),
    }
    running.push(node)
    return node
  }
  const a = await start()
  const b = await start()
  const count = async () => (await a.app.engine.metrics.nodes.get()).values[0]?.value
  await until(async () => (await count()) === 2)
  return {
    redis,
    a,
    b,
    start,
    async end() {
      for (const { mqtt } of clients) mqtt.end(true)
      await Promise.all(running.map((node) => node.stop().catch(() => {})))
      await store.close()
      await redis.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
