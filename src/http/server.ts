import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyRequest } from 'fastify'
import { DEFAULT_TENANT } from '../access/principal.ts'
import type { Authenticator } from '../access/authenticate.ts'
import type { Engine } from '../engine.ts'
import { fault } from '../errors.ts'
import type { Streams } from '../live/stream/streams.ts'
import type { NotiPy } from '../notipy/notipy.ts'
import type { Publish } from '../router/publish.ts'
import type { PreviewDeps } from '../template/preview.ts'
import type { App } from './app.ts'
import type { TopicEntry } from './asyncapi.ts'
import { auditTrail } from './audit-trail.ts'
import { documents } from './documents.ts'
import { answerBrokenRequest, sendError } from './error-reply.ts'
import { alertLinks } from './families/alert-links.ts'
import { alerts } from './families/alerts.ts'
import { audit } from './families/audit.ts'
import { chaos } from './families/chaos.ts'
import { callbacks } from './families/callbacks.ts'
import { configuration, type ReloadConfig } from './families/config.ts'
import { coreBanq } from './families/corebanq.ts'
import { contacts } from './families/contacts.ts'
import { deadLetters } from './families/dead-letters.ts'
import { deliveries } from './families/deliveries.ts'
import { deliveryStatistics } from './families/delivery-statistics.ts'
import { devices } from './families/devices.ts'
import { heartbeats } from './families/heartbeats.ts'
import { hooks } from './families/hooks/family.ts'
import { maintenance } from './families/maintenance.ts'
import { me } from './families/me.ts'
import type { NotiPyDeps } from './families/notipy/calling-service.ts'
import { notiPyFamily } from './families/notipy/family.ts'
import { calendarFeed, calendars } from './families/oncall/calendars.ts'
import { dutyChanges, type DutyDeps } from './families/oncall/changes.ts'
import { onCall, type OnCallFunctions } from './families/oncall/oncall.ts'
import { optOuts } from './families/opt-outs.ts'
import { outbox } from './families/outbox.ts'
import { preflightFamily } from './families/preflight.ts'
import { probes } from './families/probes.ts'
import { publishing } from './families/publish.ts'
import { rehearsals } from './families/rehearsals.ts'
import { sessions } from './families/session.ts'
import { silences } from './families/silences.ts'
import { testPosts } from './families/test-posts.ts'
import { testSend } from './families/test-send.ts'
import { templates } from './families/templates.ts'
import { whyFamily } from './families/why.ts'
import { inbox as xynapInbox } from './families/xynap/inbox.ts'
import { sending as xynapSending } from './families/xynap/sending.ts'
import { guard } from './guard.ts'
import { parseJsonBody } from './json-body.ts'
import { openApi } from './openapi.ts'
import { clientLibrary, pages } from './pages.ts'
import { eventStreams } from './stream/event-stream.ts'
import { longPoll } from './stream/long-poll.ts'
import { refuseUnclaimedUpgrades } from './upgrades.ts'
import { correlationIdOf, traceIdOf } from './trace.ts'
import { validatorOf } from './validator.ts'

export interface HttpOptions {
  readonly authenticator: Authenticator
  /** The topic table, for `/asyncapi.json`. */
  readonly topics: readonly TopicEntry[]
  readonly version: string
  /** Absent: no `/v1/oncall` and `/v1/teams`. */
  readonly onCall?: OnCallFunctions
  /** Absent: the schedules cannot be changed, and there are no calendars. */
  readonly duty?: DutyDeps
  /** Absent: no `/v1/templates`. */
  readonly preview?: PreviewDeps
  /** Absent: no NotiPy API. */
  readonly notiPy?: NotiPy
  /** Absent: no event streams. */
  readonly streams?: Streams
  /** Passes an HTTP publish to a plain topic on to MQTT subscribers. */
  readonly forward?: (publish: Publish) => Promise<boolean>
  /** Further families of routes below `/v1`, behind the same door. */
  readonly families?: readonly ((app: App) => void)[]
  /** Absent: no `/v1/config/reload`. */
  readonly reload?: ReloadConfig
  /** Folder of the pages; the package's own by default. */
  readonly webRoot?: string
}

/** Longer than any id, so that the schemas of the routes decide (percent-encoding is undone before). */
const LONGEST_PARAM = 1024
/** Security rows 13 and 15. */
const BODY_BYTES = 256 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const KEEP_ALIVE_MS = 72_000
/** How late such a time is noticed at most; Node looks only every 30 s by itself. */
const CHECKING_MS = 2000

/**
 * The HTTP side of the engine (contract sections 1, 3 and 7). Listens nowhere yet; `ready()` or `listen()` finishes
 * it, `close()` stops accepting, lets what is in flight finish and drops idle connections.
 */
export function createHttpServer(engine: Engine, options: HttpOptions): App {
  const { server } = engine.config
  const app: App = Fastify({
    loggerInstance: engine.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlation_id' }),
    genReqId: (request) =>
      correlationIdOf(request.headers['x-request-id']) ?? engine.ids.next(engine.clock.now()),
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Where a family adds schemas of its own, Fastify would build anew what is set later.
    schemaController: {
      compilersFactory: {
        // Its type says a bare schema, but it is called with the part of the request beside it.
        buildValidator: () => validatorOf as never,
        // What is sent is made by the renderers of src/wire; a second opinion could only lose fields.
        buildSerializer: () => () => (data) => JSON.stringify(data),
      },
    },
    routerOptions: { maxParamLength: LONGEST_PARAM },
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECKING_MS },
    forceCloseConnections: 'idle',
    trustProxy: server.trusted_proxies.length > 0 ? [...server.trusted_proxies] : false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply, engine.metrics),
  }).withTypeProvider<TypeBoxTypeProvider>()

  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, engine.metrics))
  app.setNotFoundHandler(() => {
    throw fault('request.not_found')
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => parseJsonBody(body),
  )
  refuseUnclaimedUpgrades(app.server, engine.clock)
  observe(app)
  protect(app, server.public_url)
  openApi(app, options.version)
  void app.register(async (root: App) => {
    probes(root, engine, options.authenticator)
    documents(root, options.topics, {
      version: options.version,
      mqttHost: `${server.host}:${server.mqtt_port}`,
      httpHost: `${server.host}:${server.http_port}`,
    })
    pages(root, options.webRoot)
    clientLibrary(root)
    void root.register(async (scope: App) => alertLinks(scope, engine))
    if (options.duty) calendarFeed(root, engine, options.duty)
  })
  void app.register(async (v1: App) => api(v1, engine, options), { prefix: '/v1' })
  void app.register(async (scope: App) => hookApis(scope, engine, options), { prefix: '/hooks' })
  void app.register(async (scope: App) => foreignApis(scope, engine, options), { prefix: '/api/v1' })
  return app
}

/** Correlation id, trace context and one log line per request, without query strings: they may hold tickets (R49, security row 26). */
function observe(app: App): void {
  app.decorateRequest('identity', null)
  app.decorateRequest('traceparent', null)
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id)
    const { traceparent } = request.headers
    const traceId = traceIdOf(traceparent)
    if (traceId === null || typeof traceparent !== 'string') return
    request.traceparent = traceparent
    request.log = request.log.child({ trace_id: traceId })
  })
  app.addHook('onResponse', async (request, reply) => {
    const quiet = reply.statusCode < 400 && (request.method === 'GET' || request.method === 'HEAD')
    request.log[quiet ? 'debug' : 'info'](
      {
        method: request.method,
        // The path of a feed is its secret.
        path: request.routeOptions.config.secretPath ? request.routeOptions.url : loggedPath(request.url),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        principal: request.identity?.principal.id,
      },
      'request',
    )
  })
}

/** Neither what follows `?` nor the token of a link: both open something (security row 26). */
function loggedPath(url: string): string {
  return (url.split('?', 1)[0] ?? '').replace(/^\/a\/.*$/, '/a/…')
}

/** Security row 31. */
function protect(app: App, publicUrl: string | undefined): void {
  const self = ["'self'"]
  void app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: self,
        styleSrc: self,
        imgSrc: ["'self'", 'data:'],
        connectSrc: self,
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: self,
        manifestSrc: self,
        workerSrc: self,
        frameSrc: self,
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: publicUrl?.startsWith('https:') ? { maxAge: 31_536_000 } : false,
  })
  void app.register(cookie)
}

/** What every API shares: who may read its answers, that they are not kept, and that a body may be left out. */
function common(scope: App, engine: Engine): void {
  const allowed = () => engine.config.server.allowed_origins
  void scope.register(cors, {
    // Any page may use a bearer token it holds; only known ones may use the cookie (security row 32).
    delegator: async (request: FastifyRequest) => {
      const { origin } = request.headers
      const known = origin !== undefined && allowed().includes(origin)
      return {
        origin: known ? origin : '*',
        credentials: known,
        exposedHeaders: ['x-request-id', 'retry-after', 'idempotency-replayed', 'x-process-time'],
        methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
        maxAge: 600,
      }
    },
  })
  scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  // A body may be left out wherever none of its fields is required.
  scope.addHook('preValidation', async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') request.body ??= {}
  })
}

/** Everything below `/api/v1`; each family there knows its callers in its own way. */
function foreignApis(scope: App, engine: Engine, { notiPy, authenticator }: HttpOptions): void {
  common(scope, engine)
  void scope.register(async (app: App) => {
    app.addHook(
      'onRequest',
      guard(authenticator, () => engine.config),
    )
    auditTrail(app, engine)
    xynapInbox(app, engine)
    xynapSending(app, engine)
  })
  if (!notiPy) return
  const deps: NotiPyDeps = {
    notiPy,
    authenticator,
    config: () => engine.config,
    audit: (action, { id: subject }, by) =>
      engine.store.audit([
        {
          tenant: by?.tenant ?? DEFAULT_TENANT,
          at: engine.clock.now(),
          actor: by?.id ?? subject,
          via: 'http',
          action,
          subject,
          detail: {},
        },
      ]),
  }
  void scope.register(async (app: App) => notiPyFamily(app, deps))
}

/** Everything below `/hooks`: other alerting programs, in their own words. */
function hookApis(scope: App, engine: Engine, { authenticator }: HttpOptions): void {
  common(scope, engine)
  hooks(scope, engine, authenticator)
}

/** Everything below `/v1`: who calls is known before a body is read. */
function api(v1: App, engine: Engine, options: HttpOptions): void {
  common(v1, engine)
  v1.addHook(
    'onRequest',
    guard(options.authenticator, () => engine.config),
  )
  auditTrail(v1, engine)

  const families: readonly ((app: App) => void)[] = [
    (app) => sessions(app, engine, options.authenticator),
    (app) => publishing(app, engine, options.forward ?? (() => Promise.resolve(true))),
    (app) => coreBanq(app, engine),
    ...(engine.config.server.dev_endpoints ? [testPostsFamily(engine)] : []),
    (app) => alerts(app, engine),
    ...(options.onCall ? [onCallFamily(engine, options.onCall)] : []),
    (app) => silences(app, engine),
    (app) => maintenance(app, engine),
    ...(options.duty ? [dutyFamily(engine, options.duty)] : []),
    (app) => deliveries(app, engine),
    (app) => deliveryStatistics(app, engine),
    (app) => deadLetters(app, engine),
    (app) => audit(app, engine),
    (app) => whyFamily(app, engine),
    (app) => rehearsals(app, engine),
    (app) => preflightFamily(app, engine),
    (app) => outbox(app, engine),
    (app) => chaos(app, engine),
    (app) => heartbeats(app, engine),
    (app) => me(app, engine),
    (app) => contacts(app, engine),
    (app) => testSend(app, engine),
    (app) => optOuts(app, engine),
    (app) => devices(app, engine),
    (app) => callbacks(app, engine),
    ...(options.streams ? [streamFamily(engine, options.streams)] : []),
    ...(options.preview ? [templatesFamily(engine, options.preview)] : []),
    ...(options.reload ? [configurationFamily(options.reload)] : []),
    ...(options.families ?? []),
  ]
  for (const family of families) void v1.register(async (app: App) => family(app))
}

function testPostsFamily(engine: Engine) {
  return (app: App) => testPosts(app, engine)
}

function configurationFamily(reload: ReloadConfig) {
  return (app: App) => configuration(app, reload)
}

function streamFamily({ clock, ids }: Engine, streams: Streams) {
  return (app: App) => {
    eventStreams(app, { streams, clock })
    longPoll(app, { streams, clock, ids })
  }
}

function templatesFamily(engine: Engine, deps: PreviewDeps) {
  return (app: App) => templates(app, engine, deps)
}

function onCallFamily(engine: Engine, functions: OnCallFunctions) {
  return (app: App) => onCall(app, engine, functions)
}

function dutyFamily(engine: Engine, duty: DutyDeps) {
  return (app: App) => {
    dutyChanges(app, engine, duty)
    calendars(app, engine, duty)
  }
}
