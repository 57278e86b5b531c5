import Type from 'typebox'
import { closed, duration, optionalText, tenant, text, texts, whole } from './fields.ts'

const Layer = Type.Object(
  {
    rotate: Type.Array(Type.String(), { minItems: 1, description: 'User ids that take turns' }),
    every: Type.String({
      default: '1w',
      pattern: '^[1-9][0-9]{0,3}(h|d|w)$',
      expects: 'hours, days or weeks such as 12h, 1d or 1w',
      description: 'Length of one turn',
    }),
    handoff: optionalText(
      'Local time at which the duty passes on: `HH:MM` for hours and days, `Mon 09:00` for weeks; midnight (Monday) unless set',
    ),
    start: Type.Optional(
      Type.String({
        pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
        expects: 'a date such as 2026-01-05',
        description: 'The first in `rotate` is on from the hand-off on or before this date',
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

const Schedule = Type.Object(
  {
    timezone: text('IANA time zone of all times of the schedule', { default: 'UTC' }),
    layers: Type.Array(Layer, { default: [], description: 'Rotations; a later layer wins' }),
    overrides: Type.Array(Override, { default: [], description: 'Stand-ins for a limited time' }),
  },
  { ...closed, description: 'Who is on call' },
)

const Step = Type.Object(
  {
    notify: Type.Array(Type.String(), {
      description:
        'Whom: `oncall`, `oncall.next`, `team`, `user:<id>`, `group:<name>`, `webhook:<name>` of `channels.webhook.endpoints`, `mqtt:<name>` of `channels.mqtt.topics`',
    }),
    wait: duration('Time until the next step', '5m'),
  },
  closed,
)

export const Team = Type.Object(
  {
    tenant: tenant(),
    alert_types: texts('Alert types the team owns: names, patterns such as `temp_*`, `*` for all the rest'),
    schedule: Type.Optional(Schedule),
    escalation: Type.Object(
      {
        steps: Type.Array(Step, { default: [], description: 'Taken in turn until somebody acknowledges' }),
        repeat: whole('How often all steps run again', { minimum: 0, default: 0 }),
        ack_timeout: Type.Optional(
          duration('An acknowledged alert that is not resolved re-opens after this time'),
        ),
      },
      { ...closed, default: {}, description: 'Who is told when nobody acknowledges' },
    ),
  },
  closed,
)
