import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MqttClient } from 'mqtt'
import { routes } from '../../routes/index.ts'
import type { TenantId } from '../../src/access/principal.ts'
import type { Alert, TimelineEntry } from '../../src/alert/alert.ts'
import { startApp, type RunningApp } from '../../src/app.ts'
import { formatFault } from '../../src/config/fault.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema/schema.ts'
import type { ChannelName, Delivery, OutboxItem } from '../../src/delivery/delivery.ts'
import type { Notification } from '../../src/notification/notification.ts'
import type { Outcome } from '../../src/router/publish.ts'
import { fakeClock, turn } from './fake-clock.ts'
import { harnessStore } from './harness-store.ts'
import { connectDevice, type Device, type DeviceOptions } from './device.ts'
import { silentLog, type LogLine } from './silent-log.ts'

type Settings = Readonly<Record<string, unknown>>

/**
 * Four people, two machines and one team. Every password is `{id}-password`, every token `{id}-token`. Anna is the
 * administrator, Bob is on call, Cem comes after him, Dora is in no team and cannot be called.
 */
const BASE: Readonly<Record<string, Settings>> = {
  users: {
    anna: {
      name: 'Anna',
      password: 'anna-password',
      email: 'anna@example.org',
      phone: '+4915112345671',
      roles: ['user', 'admin'],
      groups: ['ops'],
    },
    bob: {
      name: 'Bob',
      password: 'bob-password',
      email: 'bob@example.org',
      phone: '+4915112345672',
      groups: ['ops'],
    },
    cem: {
      name: 'Cem',
      password: 'cem-password',
      email: 'cem@example.org',
      phone: '+4915112345673',
      groups: ['support'],
    },
    dora: { name: 'Dora', password: 'dora-password', groups: ['support'] },
  },
  clients: {
    device: {
      token: 'device-token',
      publish: [
        'notifications/#',
        'alerts/#',
        'alerts/+/ack',
        'alerts/+/resolve',
        'events/#',
        'websocket/#',
        'plain/#',
      ],
      subscribe: ['plain/#'],
    },
    console: { token: 'console-token', roles: ['ops'], publish: [], subscribe: [] },
  },
  teams: {
    platform: {
      alert_types: ['system_failure', 'temp_*'],
      schedule: { layers: [{ rotate: ['bob'] }] },
      escalation: {
        steps: [
          { notify: ['oncall'], wait: '5m' },
          { notify: ['user:cem'], wait: '5m' },
          { notify: ['team'], wait: '5m' },
        ],
      },
    },
  },
}

/** Where there is one: what a disk keeps over a crash is shown by the tests of the store, and costs most of the time. */
const MEMORY = '/dev/shm'

/** So often in a row nothing but the question itself was committed. */
const SILENT_ROUNDS = 4
const MOST_ROUNDS = 1000

export interface Say {
  /** User or client id; `device` unless set. */
  readonly as?: string
  readonly qos?: 0 | 1 | 2
  readonly via?: 'mqtt' | 'http'
}

/** The whole program in this process: real store, real routes, real sockets, and a clock that stands still. */
export interface Harness {
  readonly app: RunningApp
  readonly now: number
  /** Through the engine's door, as a publish of that principal. Text and bytes are sent as they are. */
  publish(topic: string, body: unknown, say?: Say): Promise<Outcome>
  /** The same, for a publish that has to be stored; resolves with the handler's result. */
  accepted(topic: string, body: unknown, say?: Say): Promise<Readonly<Record<string, unknown>>>
  /** Raises an alert and resolves with its id. */
  raise(topic: string, body?: Settings): Promise<string>
  /** A real MQTT client in the name of a user or client. */
  client(id: string, options?: DeviceOptions): Promise<Device>
  /** The folder of its data, for what happens to files. */
  readonly folder: string
  /** Moves time from due instant to due instant; in each one, everything that is due gets done. */
  pass(ms: number): Promise<void>
  /** Everything that is due now is done. */
  quiet(): Promise<void>
  /** What a person was sent on captured channels, oldest first. */
  phone(userId: string): { messages(channel?: ChannelName): Promise<readonly OutboxItem[]> }
  inbox(userId: string): Promise<readonly Notification[]>
  unread(userId: string): Promise<{ readonly total: number; readonly unread: number }>
  alert(id: string): Promise<Alert>
  openAlerts(): Promise<readonly Alert[]>
  timeline(id: string): Promise<readonly TimelineEntry[]>
  deliveries(subjectId: string): Promise<readonly Delivery[]>
  deadLetters(): Promise<readonly { readonly topic: string; readonly code: string }[]>
  /** The running program reads another configuration. */
  reconfigure(settings: NonNullable<HarnessOptions['config']>): void
  /** Ends the program in order, lets time pass without it, and starts it on the same folder. */
  restart(awayMs?: number): Promise<void>
  /** Ends everything; rejects when the program met an error that nobody planned for. */
  close(): Promise<void>
}

export interface HarnessOptions {
  /** YAML, or sections that are laid over the usual ones entry by entry; `undefined` removes an entry. */
  readonly config?: string | Readonly<Record<string, Settings | readonly unknown[]>>
  /** Channels that are to send although no provider is behind them, which the configuration would not take: all fails. */
  readonly failing?: readonly ('sms' | 'voice' | 'push' | 'telegram')[]
}

export async function harness(options: HarnessOptions = {}): Promise<Harness> {
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'carillon-'))
  let config = withFailing(configOf(options.config ?? {}, folder), options.failing ?? [])
  const { log, lines } = silentLog()
  let clock = fakeClock()
  const devices: MqttClient[] = []
  const place = await harnessStore()
  const start = async () =>
    startApp({
      config: place.over(config),
      router: routes(),
      log,
      version: '0.0.0-test',
      clock,
      random: () => 0.5,
      reread: () => ({ ok: true, config: place.over(config), changed: [], restart: [] }),
    })
  let app = await start()

  /** Operations that the store has committed so far. */
  const committed = async () => {
    const { values } = await app.engine.metrics.commitSize.get()
    return values.find(({ metricName }) => metricName?.endsWith('_sum'))?.value ?? 0
  }
  const quiet = async () => {
    // What follows a commit may read, decide and commit again, which nothing but the store's own counter shows.
    for (let silent = 0, rounds = 0; silent < SILENT_ROUNDS; rounds++) {
      if (rounds > MOST_ROUNDS) throw new Error('the program does not come to rest')
      await app.worker.settled()
      const before = await committed()
      // Both threads of the store answer in order: what was asked of them before is answered by now.
      await Promise.all([app.engine.store.ping(), app.engine.store.openAlerts(1)])
      await turn()
      silent = (await committed()) - before > 1 ? 0 : silent + 1
    }
    await app.worker.settled()
  }
  const principalOf = (id: string) => {
    const principal = app.engine.directory.principal(id)
    if (!principal) throw new Error(`the configuration names no ${id}`)
    return principal
  }
  const readerOf = (userId: string) => ({
    tenant: principalOf(userId).tenant,
    userId,
    groups: app.engine.directory.user(userId)?.groups ?? [],
  })
  const tenant = (): TenantId => principalOf('anna').tenant
  const stop = async () => {
    await Promise.all(devices.splice(0).map((device) => device.endAsync(true)))
    await app.stop(10_000)
  }

  const self: Harness = {
    folder,
    get app() {
      return app
    },
    get now() {
      return clock.now()
    },
    publish: (topic, body, { as = 'device', qos = 1, via = 'mqtt' } = {}) =>
      app.engine.receive({
        principal: principalOf(as),
        topic,
        payload: bytesOf(body),
        qos,
        via,
        fingerprint: null,
        dup: false,
        correlationId: 'test',
      }),
    async accepted(topic, body, say) {
      const outcome = await self.publish(topic, body, say)
      if (outcome.kind !== 'stored') throw new Error(`${topic} was not stored: ${JSON.stringify(outcome)}`)
      return outcome.result
    },
    async raise(topic, body = {}) {
      const { alert_id: id } = await self.accepted(topic, { message: 'Out of order', ...body })
      await quiet()
      return String(id)
    },
    async client(id, deviceOptions = {}) {
      const secret = app.engine.directory.user(id) ? `${id}-password` : `${id}-token`
      const device = await connectDevice(
        app.mqttUrl,
        { username: id, password: secret, ...deviceOptions },
        quiet,
      )
      devices.push(device.mqtt)
      return device
    },
    async pass(ms) {
      const end = clock.now() + ms
      await quiet()
      for (;;) {
        const next = clock.waiting[0]
        if (next === undefined || next > end) break
        await clock.pass(Math.max(0, next - clock.now()))
        await quiet()
      }
      await clock.pass(end - clock.now())
      await quiet()
    },
    quiet,
    phone: (userId) => ({
      messages: (channel) =>
        app.engine.store.outbox({ tenant: tenant(), userId, ...(channel && { channel }) }),
    }),
    inbox: (userId) =>
      app.engine.store.inbox({ ...readerOf(userId), order: 'oldest', limit: 1000, status: 'all' }),
    unread: async (userId) => {
      const { total, unread } = await app.engine.store.inboxSummary(readerOf(userId))
      return { total, unread }
    },
    async alert(id) {
      const alert = await app.engine.store.alert(tenant(), id)
      if (!alert) throw new Error(`there is no alert ${id}`)
      return alert
    },
    openAlerts: async () => (await app.engine.store.openAlerts(1000)).items,
    timeline: (id) => app.engine.store.timeline(tenant(), id),
    async deliveries(subjectId) {
      return (await app.engine.store.deliveries({ tenant: tenant(), subjectId, limit: 1000 })).items
    },
    async deadLetters() {
      return (await app.engine.store.deadLetters(tenant(), { limit: 1000 })).items
    },
    reconfigure(settings) {
      config = withFailing(configOf(settings, folder), options.failing ?? [])
      app.reload()
    },
    async restart(awayMs = 0) {
      await stop()
      // What the ended program still waits for must not come round in the new one.
      clock = fakeClock(clock.now() + awayMs)
      app = await start()
      await quiet()
    },
    async close() {
      await stop()
      await place.remove()
      rmSync(folder, { recursive: true, force: true })
      const unplanned = lines.filter(isUnplanned)
      if (unplanned.length > 0) throw new Error(unplanned.map((line) => JSON.stringify(line)).join('\n'))
    },
  }
  return self
}

/** A line of level error or worse that carries an exception. */
function isUnplanned(line: LogLine): boolean {
  return line.level >= 50 && 'err' in line
}

function configOf(given: NonNullable<HarnessOptions['config']>, folder: string) {
  const text = typeof given === 'string' ? given : JSON.stringify(overBase(given))
  const flags = { data: folder, host: '127.0.0.1', httpPort: '0', mqttPort: '0' }
  const loaded = loadConfig({ text, env: {}, flags })
  if (!loaded.ok) throw new Error(loaded.faults.map(formatFault).join('\n'))
  return loaded.config
}

function withFailing(config: Config, names: NonNullable<HarnessOptions['failing']>): Config {
  const live = Object.fromEntries(
    names.map((name) => [name, { ...config.channels[name], mode: 'live' as const }]),
  )
  return { ...config, channels: { ...config.channels, ...live } }
}

function overBase(given: Exclude<NonNullable<HarnessOptions['config']>, string>): Settings {
  const sections = new Set([...Object.keys(BASE), ...Object.keys(given)])
  return Object.fromEntries(
    [...sections].map((name) => {
      const over = given[name]
      return [name, isList(over) ? over : { ...BASE[name], ...over }]
    }),
  )
}

/** `Array.isArray` does not know readonly lists. */
function isList(section: Settings | readonly unknown[] | undefined): section is readonly unknown[] {
  return Array.isArray(section)
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}
