import Type from 'typebox'
import { DEFAULT_RATE_LIMIT, ROLES } from '../../access/principal.ts'
import { PLATFORMS } from '../../devices/device.ts'
import {
  clockTime,
  closed,
  duration,
  flag,
  optionalText,
  secret,
  tenant,
  text,
  texts,
  whole,
} from './fields.ts'
import { ClientPresence } from './rules.ts'

const RateLimit = Type.Object(
  {
    max_requests: whole('Publishes in one window', {
      minimum: 1,
      default: DEFAULT_RATE_LIMIT.maxRequests,
    }),
    window_seconds: Type.Number({
      exclusiveMinimum: 0,
      default: DEFAULT_RATE_LIMIT.windowMs / 1000,
      description: 'Length of the sliding window in seconds',
    }),
  },
  { ...closed, description: 'How much the client may publish; 1000 in 60 s unless set' },
)

const roles = (fallback: (typeof ROLES)[number]) =>
  Type.Array(Type.Enum(ROLES), {
    default: [fallback],
    description: 'What it may do: user, ops, admin, service',
  })

/** The channels as people write them down; `app` is everything that shows up on an open page or app. */
export const CHANNELS_OF_RULES = [
  'app',
  'realtime',
  'email',
  'sms',
  'voice',
  'push',
  'web_push',
  'telegram',
  'webhook',
  'speech',
] as const

const contactRules = (description: string) =>
  Type.Optional(
    Type.Array(
      Type.Object(
        {
          after: duration('Counted from the page', '0s'),
          via: Type.Array(Type.Enum(CHANNELS_OF_RULES), { description: 'Channels that are used then' }),
        },
        closed,
      ),
      { description },
    ),
  )

const QuietHours = Type.Object(
  {
    from: clockTime('Begin, in the time zone of the user'),
    to: clockTime('End; before `from` it is on the next day'),
    except: Type.Array(Type.Enum(['critical', 'warning', 'info', 'high', 'normal', 'low']), {
      default: ['critical'],
      description: 'Levels and priorities that come through all the same',
    }),
  },
  { ...closed, description: 'Time in which nothing makes a noise' },
)

const Preferences = Type.Object(
  {
    realtime: flag('Messages on open pages and apps', true),
    email: flag('E-mail', true),
    sms: flag('SMS', false),
    push: flag('Push messages to devices', true),
  },
  { ...closed, default: {}, description: 'Which channels ordinary notifications may use' },
)

const Device = Type.Object(
  {
    platform: Type.Enum(PLATFORMS, { description: 'Where the app runs' }),
    name: optionalText('Shown to the person'),
    token: secret('Registration token of FCM'),
    subscription: Type.Optional(
      Type.Object(
        {
          endpoint: { ...text('Where the push service of the browser takes messages'), secret: true },
          keys: Type.Object(
            { p256dh: text('Public key of the browser'), auth: { ...text('Its secret'), secret: true } },
            closed,
          ),
        },
        { ...closed, description: 'Subscription of a browser instead of a token' },
      ),
    ),
  },
  closed,
)

export const User = Type.Object(
  {
    name: optionalText('Shown to others; the id unless set'),
    tenant: tenant(),
    email: optionalText('One mailbox such as anna@example.org'),
    phone: optionalText('E.164 such as "+4915112345678", in quotes'),
    telegram_chat_id: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Private chat with the bot, which is the Telegram user id; the person has to start the bot first',
      }),
    ),
    devices: Type.Array(Device, {
      default: [],
      description: 'Devices for push messages, beside those that the user registers',
    }),
    password: secret('Plain, or `scrypt$…`; without it nobody logs in as this user'),
    roles: roles('user'),
    groups: texts('Groups that notifications and escalation steps may name'),
    timezone: text('IANA time zone of quiet hours and dates', { default: 'UTC' }),
    locale: text('Language of messages, such as en or de', { default: 'en' }),
    customers: texts('Ids of the customers whose notifications the user sees'),
    preferences: Preferences,
    contact_rules: Type.Object(
      {
        critical: contactRules('For critical alerts'),
        warning: contactRules('For warnings'),
        info: contactRules('For informational alerts'),
        default: contactRules('For every level without rules of its own'),
      },
      { ...closed, default: {}, description: 'How the user is paged, by alert level' },
    ),
    quiet_hours: Type.Optional(QuietHours),
  },
  closed,
)

export const Client = Type.Object(
  {
    tenant: tenant(),
    token: secret('MQTT password and HTTP Bearer or X-API-Key; none for the client of `auth.anonymous`'),
    roles: roles('service'),
    publish: texts('Topic filters the client may publish to'),
    subscribe: texts('Topic filters the client may subscribe to'),
    rate_limit: Type.Optional(RateLimit),
    presence: Type.Optional(ClientPresence),
  },
  closed,
)

export const Customer = Type.Object(
  {
    name: text('Shown when the customer calls'),
    number: optionalText('Customer number'),
    phones: texts('Numbers the customer calls from'),
    locale: optionalText('Language of the customer'),
    url: optionalText('Page of the customer in your own system'),
  },
  closed,
)

export const Tenant = Type.Object(
  { admins: texts('User ids that count as administrators of this tenant') },
  closed,
)
