import Type, { type Static } from 'typebox'
import { Canary, Watchdog } from './oversight.ts'
import { Channels } from './channels.ts'
import { Team } from './duty.ts'
import { CHANNEL_NAMES } from '../../delivery/delivery.ts'
import { closed, duration, flag, httpUrl, optionalText, secret, text, texts, whole } from './fields.ts'
import { Client, Customer, Tenant, User } from './people.ts'
import { Filter } from './filter.ts'
import { FlappingSettings, Grouping, Inhibit, InhibitTree, MaintenanceSettings } from './noise.ts'
import { Heartbeats, Rules } from './rules.ts'
import { Templates } from './templates.ts'

const section = (description: string) => ({ ...closed, default: {}, description })

const port = (description: string, fallback: number) =>
  whole(`${description}; 0 takes any free port`, { minimum: 0, maximum: 65_535, default: fallback })

const Server = Type.Object(
  {
    host: text('Address to listen on', { default: '127.0.0.1' }),
    http_port: port('Port of pages, HTTP and WebSocket', 8080),
    mqtt_port: port('Port of MQTT', 1883),
    public_url: Type.Optional(httpUrl('Origin of links in messages; made of host and port unless set')),
    trusted_proxies: texts('Addresses or networks whose X-Forwarded-For counts'),
    dev_endpoints: flag('Enables the test posts of the CoreBanq API', false),
    log_level: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
      default: 'info',
      description: 'Least level that is logged',
    }),
    allowed_origins: texts('Other origins whose pages may use cookies and WebSockets'),
  },
  section('Where the program listens'),
)

const Storage = Type.Object(
  {
    driver: Type.Enum(['sqlite', 'mongo'], { default: 'sqlite', description: 'Kind of store' }),
    path: text('Folder of the database and of other files, with driver sqlite', { default: './data' }),
    url: secret('Address of MongoDB, with driver mongo; its path names the database, `carillon` unless set'),
    redis_url: secret('Address of Redis, with driver mongo'),
    ballast_mb: whole(
      'Megabytes set aside for acknowledgements and escalations on a full disk, with driver sqlite',
      {
        minimum: 0,
        default: 64,
      },
    ),
    retention: Type.Object(
      {
        outbox: duration('How long captured messages are kept', '7d'),
        dead_letters: duration('How long dead letters are kept', '30d'),
      },
      section('What is removed, and when'),
    ),
  },
  section('Where everything is kept'),
)

const Limits = Type.Object(
  {
    connections: whole('Open connections in all', { minimum: 1, default: 10_000 }),
    connections_per_address: whole('Open connections from one remote address; loopback is exempt', {
      minimum: 1,
      default: 100,
    }),
    streams_per_user: whole(
      'Live connections of one person on each of `/ws`, `/v1/events`, `/v1/events/poll`, `/v1/notifications/sse`, MQTT over TCP and over WebSocket',
      { minimum: 1, default: 20 },
    ),
    takeovers: whole('How often a client id may be taken over in a minute before it is held off for 60 s', {
      minimum: 1,
      default: 3,
    }),
    session_expiry: duration(
      'How long an MQTT session is kept without a connection, with its subscriptions and queued messages',
      '7d',
    ),
    commit_queue: whole('Publishes that may wait for their commit', { minimum: 10, default: 10_000 }),
    commit_queue_bytes: whole('Bytes that may wait for their commit', {
      minimum: 1024,
      default: 64 * 1024 * 1024,
    }),
  },
  section('What one program takes on'),
)

const Alerts = Type.Object(
  { longest_snooze: duration('The longest that a critical alert may be snoozed at once', '24h') },
  section('What may be done to alerts'),
)

const Auth = Type.Object(
  {
    anonymous: Type.Union([Type.String(), Type.Null()], {
      default: null,
      description: 'Client id that connections without credentials act as',
    }),
    jwt: Type.Object(
      {
        algorithm: Type.Enum(['HS256'], { default: 'HS256', description: 'The only algorithm taken' }),
        secret: secret('At least 32 bytes; without it one is made and kept in the store'),
        issuer: text('Expected and written `iss`', { default: 'carillon' }),
        audience: text('Expected and written `aud`', { default: 'carillon' }),
        lifetime: duration('How long the token of a login is valid', '1h'),
      },
      section('Tokens of people'),
    ),
  },
  section('Who may connect'),
)

const NotiPy = Type.Object(
  {
    open_registration: Type.Optional(
      Type.Boolean({
        description:
          'Whether anybody may register as a service that sends to any address, or operators only; unless set, anybody where the server listens on loopback and e-mail, SMS and push are captured',
      }),
    ),
  },
  section('The NotiPy API'),
)

/** `[count, window]` pairs: how many messages one person gets in which time. */
const windows = (description: string, fallback: readonly (readonly [number, string])[]) =>
  Type.Array(
    Type.Tuple([Type.Integer({ minimum: 1, description: 'Messages' }), duration('Window')], {
      expects: 'a pair such as [5, 15m]',
    }),
    { description, default: fallback.map(([count, window]) => [count, window]) },
  )

const Throttle = Type.Object(
  {
    sms: windows('Text messages', [
      [5, '15m'],
      [11, '1h'],
      [21, '3h'],
    ]),
    voice: windows('Phone calls', [
      [3, '15m'],
      [7, '1h'],
      [15, '3h'],
    ]),
  },
  section('How many messages one person gets: pairs of count and window'),
)

const DigestRule = Type.Object(
  {
    event: text('Event, type or category of notifications, such as order.*'),
    channels: Type.Array(Type.Enum([...CHANNEL_NAMES]), {
      default: ['email'],
      description: 'Channels on which they are gathered, other than realtime',
    }),
    window: duration('How long they are gathered before one message stands for them', '1h'),
    by: optionalText('Field of `data` that keeps digests apart, such as order_id'),
    first: Type.Enum(['hold', 'send'], {
      default: 'hold',
      description: 'Whether the first one waits as well, or goes at once and opens the window',
    }),
  },
  closed,
)

/**
 * The one schema of the configuration file (contract section 2): type, check, defaults, environment names, the
 * README's table, the editor schema and the list of secrets all come from here.
 */
export const ConfigSchema = Type.Object(
  {
    server: Server,
    storage: Storage,
    limits: Limits,
    tenants: Type.Record(Type.String(), Tenant, {
      default: {},
      entry: 'tenant',
      description: 'Separate worlds in one program; `default` is always there',
    }),
    auth: Auth,
    users: Type.Record(Type.String(), User, {
      default: {},
      entry: 'user',
      description: 'People, by id',
    }),
    clients: Type.Record(Type.String(), Client, {
      default: {},
      entry: 'client',
      description: 'Machines, by id',
    }),
    customers: Type.Record(Type.String(), Customer, {
      default: {},
      entry: 'customer',
      description: 'Callers that are recognised, by id',
    }),
    teams: Type.Record(Type.String(), Team, {
      default: {},
      entry: 'team',
      description: 'Who looks after which alerts, by name',
    }),
    channels: Channels,
    templates: Templates,
    throttle: Throttle,
    alerts: Alerts,
    notipy: NotiPy,
    watchdog: Watchdog,
    notification_types: Type.Record(
      Type.String(),
      Type.Object(
        {
          events: texts(
            'Events of this group, without its name: `message_received` stands for `chat.message_received`',
          ),
        },
        closed,
      ),
      {
        default: {},
        entry: 'group',
        description:
          'Groups of events that people may have preferences about, beside system, payment, dunning, crm, security, mail, chat and task',
      },
    ),
    digests: Type.Array(DigestRule, {
      default: [],
      description: 'Notifications that are gathered behind one message; the first rule that fits counts',
    }),
    inhibit: Type.Array(Inhibit, {
      default: [],
      description: 'Alerts that keep others quiet while they are open',
    }),
    inhibit_tree: Type.Array(InhibitTree, {
      default: [],
      description: 'The same by place in the topic tree: a gateway that is down explains what is behind it',
    }),
    grouping: Type.Array(Grouping, {
      default: [],
      description: 'Alerts that page together; the first rule that fits counts',
    }),
    maintenance: MaintenanceSettings,
    flapping: FlappingSettings,
    filter: Filter,
    rules: Rules,
    heartbeats: Heartbeats,
    canary: Canary,
  },
  closed,
)

/** The configuration after interpolation, environment, flags and defaults. Names as in the file. */
export type Config = Static<typeof ConfigSchema>
