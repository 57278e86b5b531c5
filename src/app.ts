import { DEFAULT_TENANT, type Principal } from './access/principal.ts'
import { createAuthenticator, type Authenticator } from './access/authenticate.ts'
import { mayForward, mayPublish, maySubscribe } from './access/grants.ts'
import { withdrawn } from './access/withdrawn.ts'
import type { Alert } from './alert/alert.ts'
import { bringForward } from './alert/paging/bring-forward.ts'
import { commandAlert } from './alert/change/commanding.ts'
import { escalate } from './alert/escalate.ts'
import { createFence } from './alert/paging/fence.ts'
import { createHoldOff } from './alert/hold-off.ts'
import { createInTurn } from './alert/change/in-turn.ts'
import { createLinks } from './alert/link/links.ts'
import { createOpenAlerts } from './alert/open-alerts.ts'
import { createRounds } from './alert/escalation/rounds.ts'
import { createOperatorAlarm } from './alert/operator-alarm.ts'
import { logAuditHead } from './audit/log-head.ts'
import { auditReload } from './audit/reload.ts'
import { createBoard } from './board/board.ts'
import { dutiesOf } from './board/duties-of.ts'
import { createBroker } from './broker/create-broker.ts'
import type { Broker, BrokerDoor } from './broker/broker.ts'
import { BACKLOG } from './broker/entrance/connection-limits.ts'
import { createCanaryWatch } from './canary/canary-watch.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { formatFault } from './config/fault.ts'
import type { Reloaded } from './config/reload.ts'
import type { Config } from './config/schema/schema.ts'
import { createContactBook } from './contact/contact-book.ts'
import { createContacts } from './contact/contacts.ts'
import { createTestSends } from './contact/test-send.ts'
import { createWithheld } from './contact/withheld.ts'
import type { Core } from './core.ts'
import { createCallbacks } from './delivery/answers/callbacks.ts'
import { createChaos } from './delivery/chaos.ts'
import { botSettings, capturedOf, channelLanes, createChannels, laneOf } from './delivery/channels/index.ts'
import { createDeliver } from './delivery/attempt/deliver.ts'
import { vapidOf } from './delivery/push/vapid.ts'
import { createDevices } from './devices/devices.ts'
import { closeDigest } from './delivery/digest/close.ts'
import { createHolding } from './delivery/digest/holding.ts'
import { cancelDelivery } from './delivery/direct/cancel.ts'
import { expireRealtime } from './delivery/expire.ts'
import { createOptOuts } from './delivery/answers/opt-outs.ts'
import { replyToOutbox } from './delivery/answers/reply.ts'
import { providerIdsOf } from './delivery/attempt/reconcile.ts'
import { resendDelivery } from './delivery/resend.ts'
import { createSeen } from './delivery/answers/seen.ts'
import { createOverlap } from './delivery/attempt/overlap.ts'
import { afterSettled } from './delivery/attempt/settled.ts'
import { createTargetHealth, type HealthOf } from './delivery/worker/target-health.ts'
import { createTelegramBot, type TelegramBot } from './delivery/telegram/bot.ts'
import { createTelegramPoll } from './delivery/telegram/poll.ts'
import { createStartLink } from './delivery/telegram/start-link.ts'
import { waysTo } from './delivery/ways.ts'
import { createWorker, type Perform, type Worker } from './delivery/worker/worker.ts'
import { buildDirectory } from './directory/build.ts'
import type { Engine } from './engine.ts'
import { explain } from './explain/explain.ts'
import { simulateAlert } from './explain/scenario.ts'
import { why } from './explain/why.ts'
import { createHousekeeping } from './housekeeping.ts'
import { OUTGOING_TOPICS, topicEntries } from './http/outgoing-topics.ts'
import { createHttpServer } from './http/server.ts'
import { listenLiveSocket } from './http/stream/live-socket.ts'
import { randomIds } from './ids.ts'
import { createLive } from './live/fan-out.ts'
import type { Live } from './live/live.ts'
import { createPresence } from './live/presence.ts'
import { EventLog } from './live/stream/event-log.ts'
import { createStreams } from './live/stream/streams.ts'
import { visibleTo } from './live/visible-to.ts'
import type { Log } from './log.ts'
import { createMetrics } from './metrics.ts'
import { markInbox } from './notification/inbox.ts'
import { release } from './notification/release.ts'
import { isMaintenanceTimer, maintenanceTimer } from './noise/maintenance/maintenance-timer.ts'
import { createEndNotices } from './noise/grouping/announce.ts'
import { createNoise } from './noise/noise.ts'
import { reconsider } from './noise/reconsider.ts'
import { createSilences } from './noise/silences.ts'
import { createNotiPy } from './notipy/notipy.ts'
import { createAnnouncer } from './oncall/announcing.ts'
import { createCalendarFollower } from './oncall/calendar/follow-calendars.ts'
import { createDutyBook } from './oncall/duty-book.ts'
import { createFeeds } from './oncall/feeds.ts'
import { keepTurns } from './oncall/kept-turns.ts'
import { createLiveSchedules } from './oncall/live-schedules.ts'
import { currentShift, gaps, nextOnCall, shifts } from './oncall/shifts.ts'
import { createPreflightWatch, PREFLIGHT_TOPIC } from './preflight/preflight-watch.ts'
import { createPersonalPreferences } from './preferences/personal-preferences.ts'
import { createReceipts } from './receipts/receipts.ts'
import { createRegistry } from './registry/registry.ts'
import { createReceive } from './router/receive.ts'
import { createClientPresence } from './rules/client-presence.ts'
import { createRules } from './rules/rules.ts'
import { replayDeadLetter } from './router/replay.ts'
import type { Router } from './router/router.ts'
import { openStore } from './store/open.ts'
import type { Store } from './store/store.ts'
import { createInboxWords } from './template/inbox-words.ts'
import { createTemplateCache } from './template/template-cache.ts'
import { createWordings } from './template/wordings.ts'
import { createWatchdog } from './watchdog/watchdog.ts'
import { renderAlert } from './wire/alert.ts'
import { renderLiveNotification } from './wire/notification.ts'

export interface AppOptions {
  readonly config: Config
  /** The application's routes (`#application`). */
  readonly router: Router
  readonly log: Log
  readonly version: string
  /** Reads the configuration again; the given one is in force. */
  readonly reread: (current: Config) => Reloaded
  /** Only tests bring their own; else the system's, never before the store's last commit (promise P18). */
  readonly clock?: Clock
  readonly random?: () => number
  /** Where MQTT sessions are kept with driver mongo. */
  readonly sessions?: Store['sessions']
}

/** The running program. */
export interface RunningApp {
  readonly engine: Engine
  readonly authenticator: Authenticator
  readonly worker: Worker
  readonly httpUrl: string
  readonly mqttUrl: string
  /** Reads the configuration again and puts it in force, but for what needs a restart. Faults change nothing. */
  reload(): Reloaded
  /** Stops accepting, finishes what is in flight, at most `graceMs`, and closes everything (promise P27). */
  stop(graceMs: number): Promise<void>
}

/** The longest that a store may take for one write before publishes count as not accepted. */
const READY_MS = 5000

/** What is left of the grace for closing the store. */
const LAST_STEPS_MS = 1000

/** Puts the program together: the only place that constructs things. Resolves when it accepts publishes. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const { log, router, version } = options
  let config = options.config
  const metrics = createMetrics()
  const store = await openStore({
    ...placeOf(config, options.sessions),
    metrics,
    log,
    limits: { operations: config.limits.commit_queue, bytes: config.limits.commit_queue_bytes },
  })
  const clock = options.clock ?? store.clock ?? clockAfter(store, log, metrics)
  const registry = createRegistry(store, clock)
  await registry.catchUp()
  const preferences = createPersonalPreferences(registry)
  const contacts = createContacts(registry)
  const schedules = createLiveSchedules(registry)
  const directoryOf = (from: Config) =>
    schedules.over(keepTurns({ registry, clock, log }, contacts.over(buildDirectory(from))))
  let directory = directoryOf(config)
  const random = options.random ?? Math.random
  const ids = randomIds()
  const optOuts = createOptOuts(registry, clock, ids)
  const seen = createSeen(registry)
  const devices = createDevices({ registry, directory: () => directory, clock, log })
  const publicUrl = config.server.public_url
  const vapid = vapidOf(config.channels.web_push, await store.secret('vapid'), publicUrl)
  const fence = createFence()
  const openAlerts = createOpenAlerts()
  const authenticator = createAuthenticator({
    directory: () => directory,
    config: () => config,
    clock,
    jwtSecret:
      config.auth.jwt.secret === undefined ? await store.secret('jwt') : Buffer.from(config.auth.jwt.secret),
    log,
  })

  // The parts know each other in a circle (a delivery makes a receipt, a receipt is published, a publish is a
  // delivery), so these are filled in below, before anything can call them.
  const late = {} as { core: Core; broker: Broker; live: Live; worker: Worker; publicUrl: string }
  const alarm = createOperatorAlarm(() => late.core)
  const endNotices = createEndNotices(() => late.core)
  const healthOf: HealthOf = (target, options) =>
    createTargetHealth(target, { clock, log, metrics, alarm }, options)
  const publish: Core['publish'] = (topic, payload, how) => late.broker.publish(topic, payload, how)
  const wanted: Core['wanted'] = (topic) => late.broker.wanted(topic)
  const broker = {
    publish,
    publishKept: (...args: Parameters<Broker['publishKept']>) => late.broker.publishKept(...args),
    hears: (principalId: string, topic: string) => late.broker.hears(principalId, topic),
  }
  const channels = createChannels(config, { clock, healthOf, publicUrl, devices, vapid, alarm, broker })
  const chaos = createChaos(capturedOf(channels), () =>
    directory.tenants().filter((tenant) => directory.users(tenant).length > 0),
  )

  const receipts = createReceipts({ wanted, publish })
  late.live = createLive({
    store,
    clock,
    log,
    wireNotification: renderLiveNotification,
    wireAlertPage: (alert) => ({
      type: `${alert.severity}_alert`,
      alert: renderAlert(alert),
      requires_acknowledgment: alert.severity === 'critical',
    }),
    wireOutcome: (alert, { kind, by }) => ({
      type: 'alert_outcome',
      outcome: kind,
      by,
      alert: renderAlert(alert),
    }),
    visibleTo: (notification, reader) => {
      const person = directory.user(reader.userId)
      return (
        visibleTo(notification, reader) &&
        (person === undefined || preferences.wantsLive(person, notification.content))
      )
    },
    openPagesFor: (userId) => Promise.resolve(openAlerts.pagesFor(userId)),
    progressed: {
      wanted: (subject) => receipts.wanted(originOf(subject)),
      moved: (subject, userId, { state, at }) =>
        receipts.moved(originOf(subject), { status: state, at, channel: 'realtime', user: userId }),
    },
  })
  const board = createBoard({
    publish,
    clock,
    log,
    wireAlert: renderAlert,
    ...dutiesOf(() => directory),
  })
  const presence = createPresence({ clock, ids })
  const events = new EventLog(ids.next(clock.now()).slice(-12))
  const readerOf = (principal: Principal) => ({
    tenant: principal.tenant,
    userId: principal.id,
    groups: directory.user(principal.id)?.groups ?? [],
  })
  const streams = createStreams({
    live: late.live,
    log: events,
    store,
    clock,
    metrics,
    readerOf,
    perUser: config.limits.streams_per_user,
  })

  const testSends = createTestSends(
    () => late.core,
    () => book,
  )
  const templates = { templates: () => config.templates, compile: createTemplateCache() }
  const wordingOf = createWordings({ ...templates, log, metrics })
  const deliver = createDeliver({
    channels,
    wordingOf,
    directory: { user: (id) => directory.user(id) },
    clock,
    random,
    log,
    metrics,
    store,
    publicUrl: () => late.publicUrl,
    answerUrl: (delivery) => links.urlOf(delivery),
    holding: createHolding({ config: () => config, store, ids }),
    fence: (alertId, page) => fence.stands(alertId, page),
    fires: (alertId) => openAlerts.fires(alertId),
    overlap: createOverlap(),
    chaos,
    providerIds: (delivery, since) => providerIdsOf(store, delivery, since),
    withheld: createWithheld({ registry, directory: () => directory, contacts, optOuts }),
    settled: (work, settlement) => {
      afterSettled(late.core, work, settlement)
      testSends.settled(work.delivery)
    },
  })
  const perform: Record<string, Perform> = {
    escalate: async (work) => {
      if (work.kind === 'escalate') await escalate(late.core, work)
    },
    release: async (work) => {
      if (work.kind === 'release')
        await (isMaintenanceTimer(work) ? maintenanceTimer : release)(late.core, work)
    },
    realtime: async (work) => {
      if (work.kind === 'deliver') await expireRealtime(late.core, work)
    },
  }
  perform.digest = async (work) => {
    if (work.kind === 'digest') await closeDigest(late.core, work)
  }
  const leftOver = (await store.lanes()).filter((name) => perform[name] === undefined)
  const lanes = channelLanes(channels, leftOver)
  for (const { name } of lanes) perform[name] = deliver
  late.worker = createWorker({
    store,
    lanes: [
      { name: 'escalate', concurrency: 100 },
      { name: 'release' },
      { name: 'digest' },
      { name: 'realtime' },
      ...lanes,
    ],
    perform,
    clock,
    random,
    log,
    metrics,
    alarm,
  })

  late.core = {
    config: () => config,
    directory: () => directory,
    store,
    registry,
    devices,
    preferences,
    clock,
    ids,
    log,
    metrics,
    live: late.live,
    events,
    presence,
    board,
    receipts,
    worker: late.worker,
    fence,
    inTurn: createInTurn(),
    holdOff: createHoldOff(),
    openAlerts,
    rounds: createRounds(registry, log),
    noise: createNoise({ registry, config: () => config, openAlerts, memberEnded: endNotices.ended }),
    reconsider: (alerts) => reconsider(late.core, alerts),
    rules: createRules(() => late.core),
    operatorAlarm: alarm,
    publish,
    wanted,
    publicUrl: () => late.publicUrl,
    bringForward: (tenant, alertId) => bringForward(late.core, tenant, alertId),
    addressesOf: (person, channel) => channels.get(channel)?.channel.addresses(person) ?? [],
    laneOf: (channel, address) => laneOf(channels, channel, address),
    wordInbox: createInboxWords({ ...templates, wordingOf, publicUrl: () => late.publicUrl }),
  }
  const { core } = late
  const links = createLinks(core, { current: 0, secrets: new Map([[0, await store.secret('links')]]) })
  const announcer = createAnnouncer(core)
  const calendars = createCalendarFollower(core)
  const dutyChanged = () => {
    board.oncallChanged()
    announcer.refresh()
  }
  schedules.watch(dutyChanged)
  const receive = createReceive(core, router, mayPublish)
  const bot = liveBot(config)
  const book = createContactBook(core, {
    contacts,
    optOuts,
    startLink: bot === null ? () => Promise.resolve(null) : createStartLink(bot, clock),
  })

  const engine: Engine = {
    get config() {
      return config
    },
    get directory() {
      return directory
    },
    store,
    registry,
    devices,
    vapidPublicKey: vapid.publicKey,
    preferences,
    clock,
    ids,
    log,
    metrics,
    live: late.live,
    events,
    receive,
    commandAlert: (command, by, via) => commandAlert(core, command, { principal: by, via }),
    markInbox: (mark, by) => markInbox(core, mark, by),
    replayDeadLetter: (by, id) => replayDeadLetter(core, receive, by, id),
    resendDelivery: (by, id) => resendDelivery(core, by, id),
    cancelDelivery: (by, id) => cancelDelivery(core, by, id),
    replyToOutbox: (by, id, reply) => replyToOutbox(core, by, id, reply),
    callbacks: createCallbacks(core, { optOuts, contacts, seen }),
    contacts: book,
    testSend: (by, person, wish) => testSends.send(by, person, wish),
    links,
    optOuts,
    silences: createSilences(core),
    canReach: (person, channel) => waysTo(core, person, channel).length > 0,
    chaos,
    expected: (tenant) => core.rules.expected(tenant),
    preflight: () => preflights.problems(),
    explain: (rehearsal) => explain(core, router, rehearsal),
    simulate: (by, whatIf) => simulateAlert(core, by, whatIf),
    why: (by, id, userId) => why(core, by, id, userId),
    readiness: async () => (await readiness(store, clock, () => stopping)) ?? watchdog.trouble(),
  }
  let stopping = false

  const clientPresence = createClientPresence(() => core)
  const door: BrokerDoor = {
    authenticate: (credentials) => authenticator.mqtt(credentials),
    receive,
    mayPublish,
    maySubscribe,
    mayForward: (principal, topic) =>
      mayForward(principal, topic, topic === PREFLIGHT_TOPIC ? DEFAULT_TENANT : board.tenantOf(topic)),
    live: late.live,
    recall: ({ id }) => directory.principal(id) ?? null,
    presence: clientPresence,
  }
  late.broker = await createBroker({
    door,
    clock,
    log,
    metrics,
    limits: config.limits,
    persistence: store.sessions,
    readerOf,
    originAllowed: (origin) =>
      origin !== undefined && (config.server.allowed_origins.includes(origin) || origin === late.publicUrl),
  })
  const reload = (by?: Principal): Reloaded => {
    const next = options.reread(config)
    auditReload(core, next, by)
    if (!next.ok) {
      log.error(
        { faults: next.faults.map(formatFault) },
        'the new configuration is faulty; the old one stays',
      )
      return next
    }
    const known = [...Object.keys(config.users), ...Object.keys(config.clients)]
    const before = directory
    config = next.config
    directory = directoryOf(config)
    log.level = config.server.log_level
    for (const id of withdrawn(known, before, directory)) {
      late.broker.revoke(id)
      streams.revoke(id)
    }
    dutyChanged()
    calendars.refresh()
    void core.reconsider(openAlerts.all())
    core.rules.configure(config, openAlerts.all())
    preflights.changed()
    canaries.changed()
    log.info({ changed: next.changed, needs_restart: next.restart }, 'configuration reloaded')
    return next
  }
  const http = createHttpServer(engine, {
    reload: (by) => {
      const next = reload(by)
      return next.ok ? next : { ok: false, faults: next.faults.map(formatFault) }
    },
    authenticator,
    streams,
    topics: [...topicEntries(router), ...OUTGOING_TOPICS],
    version,
    onCall: { nextOnCall, currentShift, shifts, gaps },
    duty: { book: createDutyBook(core), feeds: createFeeds(registry) },
    notiPy: createNotiPy(core, templates.compile),
    preview: { ...templates, channels, publicUrl: () => late.publicUrl },
    forward: ({ topic, payload, principal }) =>
      late.broker.publishKept(topic, payload, { qos: 1, tenant: principal.tenant }),
  })

  await rebuild(core)
  endNotices.missed()
  void core.reconsider(openAlerts.all())
  core.rules.configure(config, openAlerts.all())
  clientPresence.recall()
  const watchdog = createWatchdog(core)
  const preflights = createPreflightWatch(core)
  const canaries = createCanaryWatch(core)
  schedules.watch(preflights.changed)
  const stops = [
    createHousekeeping(core),
    logAuditHead(core),
    watchdog.stop,
    preflights.stop,
    canaries.stop,
    calendars.stop,
  ]
  const { host } = config.server
  const mqttPort = await late.broker.listen(host, config.server.mqtt_port)
  await http.ready()
  late.broker.attachTo(http.server)
  listenLiveSocket(http.server, { authenticator, config: () => config, streams, presence, clock, ids })
  const httpUrl = await http.listen({ host, port: config.server.http_port, backlog: BACKLOG })
  late.publicUrl = config.server.public_url ?? httpUrl
  core.rules.start()
  clientPresence.start()
  late.worker.start()
  announcer.refresh()
  calendars.refresh()
  const poll =
    bot &&
    createTelegramPoll({
      bot,
      directory: () => directory,
      contacts,
      seen,
      command: (command, by, once) => commandAlert(core, command, { principal: by, via: 'telegram', once }),
      followLink: (code, chatId) => book.followLink(code, chatId),
      clock,
      log,
    })
  poll?.start()

  return {
    engine,
    authenticator,
    worker: late.worker,
    httpUrl,
    mqttUrl: `mqtt://${host}:${mqttPort}`,
    reload: () => reload(),
    async stop(graceMs) {
      stopping = true
      core.rules.close()
      clientPresence.close()
      for (const stop of stops) stop()
      streams.close()
      await Promise.all([
        closeHttp(http, clock, graceMs),
        late.broker.close(graceMs),
        late.worker.stop(graceMs),
        poll?.stop(),
      ])
      late.live.close()
      presence.close()
      board.close()
      announcer.close()
      await Promise.all([...channels.values()].map(({ channel }) => channel.close()))
      await store.close()
    },
  }
}

/** The bot, where Telegram is live. */
function liveBot({ channels: { telegram } }: Config): TelegramBot | null {
  const settings = botSettings(telegram)
  return settings === null || telegram.mode === 'captured' ? null : createTelegramBot(settings)
}

/** Whoever has sent half a request would keep the server open for ever: Node stops looking for such when it closes. */
async function closeHttp(
  http: ReturnType<typeof createHttpServer>,
  clock: Clock,
  graceMs: number,
): Promise<void> {
  const cancel = clock.at(clock.now() + Math.max(graceMs - LAST_STEPS_MS, 0), () =>
    http.server.closeAllConnections(),
  )
  await http.close()
  cancel()
}

/** Where the configuration has the store. */
function placeOf({ storage }: Config, sessions: AppOptions['sessions']) {
  const { driver, path, url = '', ballast_mb } = storage
  if (driver === 'sqlite') return { driver, path, ballastBytes: ballast_mb * 1024 * 1024 } as const
  if (!sessions) throw new Error('With driver mongo sessions are kept elsewhere')
  return { driver, url, sessions } as const
}

function clockAfter(store: Store, log: Log, metrics: ReturnType<typeof createMetrics>): Clock {
  return systemClock({
    notBefore: store.highWaterAt,
    onJump(jumpMs) {
      metrics.clockJumps.inc()
      metrics.clockJumpSeconds.set(jumpMs / 1000)
      log.warn({ jump_ms: jumpMs }, 'the wall clock was moved; timers are not')
    },
  })
}

/** The board as the store has it (promise P18 leaves no other moment to do this): alerts, states, who is on call. */
async function rebuild(core: Core): Promise<void> {
  await core.board.rebuild(openAlertsOf(core))
  for (const { tenant, name, state } of await core.store.states())
    core.board.systemStatus(tenant, name, state)
}

async function* openAlertsOf(core: Core): AsyncGenerator<Alert> {
  let cursor: string | undefined
  do {
    const page = await core.store.openAlerts(500, cursor)
    for (const alert of page.items) {
      core.openAlerts.changed(alert)
      core.operatorAlarm.found(alert)
      yield alert
    }
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}

async function readiness(store: Store, clock: Clock, stopping: () => boolean): Promise<string | null> {
  if (stopping()) return 'stopping'
  let cancel = () => {}
  const late = new Promise<string>((resolve) => {
    cancel = clock.at(clock.now() + READY_MS, () =>
      resolve('the store takes longer than five seconds for a write'),
    )
  })
  const answer = store.ping().then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  return Promise.race([answer, late]).finally(() => cancel())
}

type LiveSubject = Parameters<NonNullable<Parameters<typeof createLive>[0]['progressed']>['wanted']>[0]

function originOf(subject: LiveSubject) {
  return subject.kind === 'notification' ? subject.notification.origin : subject.alert.origin
}
