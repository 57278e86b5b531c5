import Type from 'typebox'
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
import { CHANNELS_OF_RULES } from './people.ts'

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

const Hours = Type.Object(
  {
    days: Type.Array(Type.Enum([...WEEKDAYS]), {
      default: [...WEEKDAYS],
      minItems: 1,
      description: 'Weekdays on which the hours begin',
    }),
    from: clockTime('Begin, local time of the schedule'),
    to: clockTime('End; on the following day when it is not after `from`'),
  },
  closed,
)

const Layer = Type.Object(
  {
    name: optionalText(
      'Keeps its turns when layers are added, moved or removed before it; without it they count by its place',
    ),
    rotate: Type.Array(Type.String(), { minItems: 1, description: 'User ids that take turns' }),
    every: Type.String({
      default: '1w',
      pattern: '^[1-9][0-9]{0,3}(h|d|w|mo)$',
      expects: 'hours, days, weeks or months such as 12h, 1d, 1w or 1mo',
      description: 'Length of one turn',
    }),
    turns: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[1-9][0-9]{0,3}(h|d|w)$',
          expects: 'hours, days or weeks such as 12h, 1d or 1w',
        }),
        {
          minItems: 1,
          description:
            'Turns of different lengths, over and over, instead of `every`: `[5d, 2d]` for weekdays and weekends',
        },
      ),
    ),
    handoff: optionalText(
      'Local time at which the duty passes on: `HH:MM` for hours and days, `Mon 09:00` for weeks and `turns`, `1 09:00` for months; midnight (Monday, the first) unless set',
    ),
    start: Type.Optional(
      Type.String({
        pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
        expects: 'a date such as 2026-01-05',
        description: 'The first in `rotate` is on from the hand-off on or before this date',
      }),
    ),
    only: Type.Optional(
      Type.Array(Hours, {
        minItems: 1,
        description: 'The layer has somebody in these hours only; in others the layers before it have',
      }),
    ),
  },
  closed,
)

const Override = Type.Object(
  {
    user: text('User id of the stand-in'),
    from: text('Begin, local time of the schedule such as 2027-01-01T09:00'),
    to: text('End, local time of the schedule'),
  },
  closed,
)

const Announce = Type.Object(
  {
    on_change: flag('Tell who comes on duty and who goes off', true),
    at: Type.Optional(clockTime('Local time at which everybody in `to` is told daily who is on call')),
    to: texts('Who else is told: `oncall`, `oncall.next`, `team`, `admins`, `user:<id>`, `group:<name>`'),
  },
  { ...closed, description: 'Notices about who is on call; none unless set' },
)

const Schedule = Type.Object(
  {
    timezone: text('IANA time zone of all times of the schedule', { default: 'UTC' }),
    layers: Type.Array(Layer, { default: [], description: 'Rotations; a later layer wins' }),
    overrides: Type.Array(Override, { default: [], description: 'Stand-ins for a limited time' }),
    ical: secret(
      'Calendar (iCalendar text) whose events are duties of the users that they name; wins over the layers',
    ),
    ical_url: secret(
      'URL of a calendar elsewhere that is followed in the same way; only to where `channels.webhook.allow` lets',
    ),
    ical_every: duration('How often that calendar is fetched', '15m'),
    announce: Type.Optional(Announce),
  },
  { ...closed, description: 'Who is on call' },
)

const acksRequired = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 20, description }))

const Step = Type.Object(
  {
    notify: Type.Array(Type.String(), {
      description:
        'Whom: `oncall`, `oncall.next`, `team`, `user:<id>`, `group:<name>`, `admins`, `catch_all` (the team of `*`), one person per alert in turn with `oncall.round_robin` (of the rotations) or `round_robin:<group or team>`, `webhook:<name>` of `channels.webhook.endpoints`, `mqtt:<name>` of `channels.mqtt.topics`',
    }),
    wait: duration('Time until the next step', '5m'),
    channels: Type.Optional(
      Type.Array(Type.Enum(CHANNELS_OF_RULES), {
        minItems: 1,
        description: "Channels of this step, in place of the people's own rules",
      }),
    ),
    between: Type.Optional(
      Type.String({
        pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$',
        expects: 'two times of day such as 08:00-18:00',
        description: 'The step waits until this window is open, in the time zone of the schedule',
      }),
    ),
    weekdays: Type.Optional(
      Type.Array(Type.Enum(WEEKDAYS), {
        minItems: 1,
        description: 'Days on which the window opens: mon, tue, …; without `between` all day',
      }),
    ),
    if_more_than: Type.Optional(
      Type.Object(
        {
          count: Type.Integer({ minimum: 1, maximum: 1000, description: 'Alerts of the team' }),
          within: duration('In this time up to now', '10m'),
        },
        { ...closed, description: 'The step is passed over unless the team got more alerts than this' },
      ),
    ),
    acks_required: acksRequired("In place of the policy's own number, from this step to the next"),
  },
  closed,
)

export const Team = Type.Object(
  {
    tenant: tenant(),
    alert_types: texts(
      'Alert types the team owns: names, patterns such as `temp_*`, `*` for all the rest; of two teams that fit as well the first of the file',
    ),
    schedule: Type.Optional(Schedule),
    escalation: Type.Object(
      {
        steps: Type.Array(Step, { default: [], description: 'Taken in turn until somebody acknowledges' }),
        repeat: whole('How often all steps run again', { minimum: 0, default: 0 }),
        ack_timeout: Type.Optional(
          duration('An acknowledged alert that is not resolved re-opens after this time'),
        ),
        ack_reminder: Type.Optional(
          duration(
            'Those who acknowledged are asked again after this time; without an answer within `ack_timeout` the alert re-opens',
          ),
        ),
        acks_required: acksRequired('How many different people must acknowledge; one unless set'),
        fallback: Type.Optional(
          Type.Array(Type.String(), {
            minItems: 1,
            description:
              'Whom the end of the policy tells. Unless set `admins` and `catch_all`, and only when no step reached anybody',
          }),
        ),
        resolve_at_end: Type.Optional(
          Type.Boolean({
            description:
              'Whether an alert that nobody took is closed when the wait of the last step is over; one that reached nobody stays open',
          }),
        ),
        auto_resolve: Type.Optional(
          duration('An alert that waits for no step and of which nothing was heard for this long is closed'),
        ),
        stale_after: duration(
          'A step that is overdue for longer pages nobody, and the timeline says so',
          '1d',
        ),
      },
      { ...closed, default: {}, description: 'Who is told when nobody acknowledges' },
    ),
  },
  closed,
)
