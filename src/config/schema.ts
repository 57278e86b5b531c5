import Type, { type Static } from 'typebox'
import { ROLES } from '../access/principal.ts'

/**
 * The one schema of the configuration file (contract section 2): type, check, defaults, environment names, the
 * README's table, the editor schema and the list of secrets all come from here.
 */

const closed = { additionalProperties: false } as const

/** Marks a value that is never printed or logged and may be given as `<key>_file`. */
const secret = (options: { description: string }) => Type.String({ ...options, secret: true })

const Duration = (options: { description: string; default?: string }) =>
  Type.String({ ...options, pattern: '^[0-9]+(ms|s|m|h|d|w)$', format: 'duration' })

const Mode = Type.Union([Type.Literal('live'), Type.Literal('captured'), Type.Literal('both')], {
  description: 'live sends, captured keeps in the outbox instead, both does both',
  default: 'captured',
})

const RateLimit = Type.Object(
  {
    max_requests: Type.Integer({ minimum: 1, default: 1000, description: 'Publishes in one window' }),
    window_seconds: Type.Number({
      exclusiveMinimum: 0,
      default: 60,
      description: 'Length of the sliding window',
    }),
  },
  closed,
)

const ChannelOfRules = Type.Union(
  ['app', 'realtime', 'email', 'sms', 'voice', 'push', 'web_push', 'telegram', 'webhook', 'speech'].map(
    (name) => Type.Literal(name),
  ),
)

const Clock = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' })

const ContactRuleList = Type.Array(
  Type.Object(
    {
      after: Duration({ description: 'Counted from the page', default: '0s' }),
      via: Type.Array(ChannelOfRules),
    },
    closed,
  ),
)

const User = Type.Object(
  {
    name: Type.Optional(Type.String({ description: 'Shown to others; the id by default' })),
    tenant: Type.String({ default: 'default' }),
    email: Type.Optional(Type.String()),
    phone: Type.Optional(Type.String({ description: 'E.164, for example +4915112345678' })),
    password: Type.Optional(secret({ description: 'Plain, or scrypt$… as `carillon users hash` prints it' })),
    roles: Type.Array(Type.Union(ROLES.map((role) => Type.Literal(role))), { default: ['user'] }),
    groups: Type.Array(Type.String(), { default: [] }),
    timezone: Type.String({ default: 'UTC', format: 'timezone' }),
    locale: Type.String({ default: 'en' }),
    customers: Type.Array(Type.String(), { default: [] }),
    preferences: Type.Object(
      {
        realtime: Type.Boolean({ default: true }),
        email: Type.Boolean({ default: true }),
        sms: Type.Boolean({ default: false }),
        push: Type.Boolean({ default: true }),
      },
      { ...closed, default: {} },
    ),
    contact_rules: Type.Object(
      {
        critical: Type.Optional(ContactRuleList),
        warning: Type.Optional(ContactRuleList),
        info: Type.Optional(ContactRuleList),
        default: Type.Optional(ContactRuleList),
      },
      { ...closed, default: {} },
    ),
    quiet_hours: Type.Optional(
      Type.Object(
        { from: Clock, to: Clock, except: Type.Array(Type.String(), { default: ['critical'] }) },
        closed,
      ),
    ),
  },
  closed,
)

const Client = Type.Object(
  {
    tenant: Type.String({ default: 'default' }),
    token: Type.Optional(
      secret({ description: 'MQTT password and HTTP Bearer / X-API-Key; none for `auth.anonymous`' }),
    ),
    roles: Type.Array(Type.Union(ROLES.map((role) => Type.Literal(role))), { default: ['service'] }),
    publish: Type.Array(Type.String(), { default: [], description: 'Topic filters' }),
    subscribe: Type.Array(Type.String(), { default: [], description: 'Topic filters' }),
    rate_limit: Type.Optional(RateLimit),
  },
  closed,
)

const Layer = Type.Object(
  {
    rotate: Type.Array(Type.String(), { minItems: 1, description: 'User ids in turn' }),
    every: Type.String({ default: '1w', pattern: '^[1-9][0-9]*(h|d|w)$' }),
    handoff: Type.String({ default: 'Mon 00:00', description: '`HH:MM` daily, `Mon 09:00` weekly' }),
    start: Type.Optional(Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' })),
  },
  closed,
)

const Override = Type.Object(
  {
    user: Type.String(),
    from: Type.String({ description: 'Local time of the schedule, `2027-01-01T09:00`' }),
    to: Type.String(),
  },
  closed,
)

const Team = Type.Object(
  {
    tenant: Type.String({ default: 'default' }),
    alert_types: Type.Array(Type.String(), {
      default: [],
      description: 'Names, patterns such as `temp_*`, or `*` for the rest',
    }),
    schedule: Type.Optional(
      Type.Object(
        {
          timezone: Type.String({ default: 'UTC', format: 'timezone' }),
          layers: Type.Array(Layer, { default: [] }),
          overrides: Type.Array(Override, { default: [] }),
        },
        closed,
      ),
    ),
    escalation: Type.Object(
      {
        steps: Type.Array(
          Type.Object(
            {
              notify: Type.Array(Type.String(), {
                description: 'oncall, oncall.next, team, user:<id>, group:<name>, webhook:<name>',
              }),
              wait: Duration({ description: 'Time until the next step', default: '5m' }),
            },
            closed,
          ),
          { default: [] },
        ),
        repeat: Type.Integer({ minimum: 0, default: 0, description: 'How often all steps run again' }),
        ack_timeout: Type.Optional(
          Duration({ description: 'An acknowledged alert re-opens after this time' }),
        ),
      },
      { ...closed, default: {} },
    ),
  },
  closed,
)

const Webhook = Type.Object(
  { url: Type.String(), secret: Type.Optional(secret({ description: 'Signs the request' })) },
  closed,
)

export const ConfigSchema = Type.Object(
  {
    server: Type.Object(
      {
        host: Type.String({ default: '127.0.0.1', description: 'Address to listen on' }),
        http_port: Type.Integer({
          minimum: 0,
          maximum: 65535,
          default: 8080,
          description: '0 takes any free port',
        }),
        mqtt_port: Type.Integer({
          minimum: 0,
          maximum: 65535,
          default: 1883,
          description: '0 takes any free port',
        }),
        public_url: Type.Optional(Type.String({ description: 'Origin of links; by default host and port' })),
        trusted_proxies: Type.Array(Type.String(), {
          default: [],
          description: 'Addresses whose X-Forwarded-For counts',
        }),
        dev_endpoints: Type.Boolean({ default: false, description: 'The test posts of the CoreBanq API' }),
        log_level: Type.Union(
          ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((level) => Type.Literal(level)),
          { default: 'info' },
        ),
        allowed_origins: Type.Array(Type.String(), {
          default: [],
          description: 'Other origins that may use cookies and WebSockets',
        }),
      },
      { ...closed, default: {} },
    ),
    storage: Type.Object(
      {
        driver: Type.Union([Type.Literal('sqlite')], { default: 'sqlite' }),
        path: Type.String({ default: './data', description: 'Folder of the database' }),
        retention: Type.Object(
          {
            outbox: Duration({ default: '7d', description: 'Captured messages' }),
            dead_letters: Duration({ default: '30d', description: 'Dead letters' }),
          },
          { ...closed, default: {} },
        ),
      },
      { ...closed, default: {} },
    ),
    limits: Type.Object(
      {
        connections: Type.Integer({ minimum: 1, default: 10_000, description: 'Open connections in all' }),
        connections_per_address: Type.Integer({
          minimum: 1,
          default: 100,
          description: 'Open connections from one remote address; loopback is exempt',
        }),
        takeovers: Type.Integer({
          minimum: 1,
          default: 3,
          description: 'How often a client id may be taken over in a minute before it is held off for 60 s',
        }),
        commit_queue: Type.Integer({
          minimum: 10,
          default: 10_000,
          description: 'Publishes that may wait for their commit',
        }),
        commit_queue_bytes: Type.Integer({
          minimum: 1024,
          default: 64 * 1024 * 1024,
          description: 'And their bytes',
        }),
      },
      { ...closed, default: {} },
    ),
    tenants: Type.Record(
      Type.String(),
      Type.Object({ admins: Type.Array(Type.String(), { default: [] }) }, closed),
      { default: {} },
    ),
    auth: Type.Object(
      {
        anonymous: Type.Union([Type.String(), Type.Null()], {
          default: null,
          description: 'Client id that connections without credentials act as',
        }),
        jwt: Type.Object(
          {
            algorithm: Type.Union([Type.Literal('HS256')], { default: 'HS256' }),
            secret: Type.Optional(
              secret({ description: 'At least 32 bytes; without it one is made and kept in the store' }),
            ),
            issuer: Type.String({ default: 'carillon' }),
            audience: Type.String({ default: 'carillon' }),
            lifetime: Duration({ default: '1h', description: 'Of the tokens that a login gives' }),
          },
          { ...closed, default: {} },
        ),
      },
      { ...closed, default: {} },
    ),
    users: Type.Record(Type.String(), User, { default: {} }),
    clients: Type.Record(Type.String(), Client, { default: {} }),
    customers: Type.Record(
      Type.String(),
      Type.Object(
        {
          name: Type.String(),
          number: Type.Optional(Type.String()),
          phones: Type.Array(Type.String(), { default: [] }),
          locale: Type.Optional(Type.String()),
          url: Type.Optional(Type.String()),
        },
        closed,
      ),
      { default: {} },
    ),
    teams: Type.Record(Type.String(), Team, { default: {} }),
    channels: Type.Object(
      {
        email: Type.Object(
          {
            mode: Mode,
            smtp_url: Type.Optional(secret({ description: 'smtp://user:password@host:587, or smtps://' })),
            from: Type.String({ default: 'Carillon <carillon@localhost>' }),
          },
          { ...closed, default: {} },
        ),
        sms: Type.Object({ mode: Mode }, { ...closed, default: {} }),
        voice: Type.Object({ mode: Mode }, { ...closed, default: {} }),
        push: Type.Object({ mode: Mode }, { ...closed, default: {} }),
        web_push: Type.Object({ mode: Mode }, { ...closed, default: {} }),
        telegram: Type.Object({ mode: Mode }, { ...closed, default: {} }),
        webhook: Type.Object(
          {
            mode: Mode,
            allow: Type.Array(Type.String(), { default: [] }),
            endpoints: Type.Record(Type.String(), Webhook, { default: {} }),
          },
          { ...closed, default: {} },
        ),
      },
      { ...closed, default: {} },
    ),
  },
  closed,
)

/** The configuration after interpolation, environment, flags and defaults. Names as in the file. */
export type Config = Static<typeof ConfigSchema>
