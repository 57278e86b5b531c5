import Type from 'typebox'
import { ALERT_LEVELS } from '../../alert/alert.ts'
import { PRIORITIES, SEVERITIES } from '../../notification/notification.ts'
import { closed, duration, optionalText, tenant, text } from './fields.ts'

const data = (description: string) =>
  Type.Optional(
    Type.Record(Type.String(), Type.Unknown({ description: 'Any value' }), { entry: 'name', description }),
  )

const level = () => Type.Enum([...ALERT_LEVELS], { description: 'Level of the alert', default: 'critical' })

const RuleAlert = Type.Object(
  {
    severity: level(),
    type: text('Type of the alert, which decides the team that owns it; a template'),
    message: text('What happened; a template'),
    dedup_key: optionalText('What makes publishes one alert; a template, `{rule id}:{topic}` unless set'),
    source: optionalText('Where it happened; a template, the topic unless set'),
    data: data('Facts that go with the alert; texts are templates'),
  },
  { ...closed, description: 'The alert that it raises' },
)

const RuleNotify = Type.Object(
  {
    user: optionalText('Id of the person; a template'),
    group: optionalText('Name of the group; a template'),
    broadcast: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Groups that everybody of is told; `[]` is everybody there is',
      }),
    ),
    title: optionalText('Title; a template'),
    message: text('Text; a template'),
    type: optionalText('Type; a template'),
    category: optionalText('Category; a template'),
    event: optionalText(
      'Event that templates and preferences go by; a template, that of the message unless set',
    ),
    priority: Type.Optional(Type.Enum([...PRIORITIES], { description: 'How loud it is' })),
    severity: Type.Optional(Type.Enum([...SEVERITIES], { description: 'How it is coloured' })),
    action_url: optionalText('Where a click leads; a template'),
    customer_id: optionalText('Customer it is about; a template'),
    data: data('Facts that go with it; texts are templates'),
  },
  { ...closed, description: 'The notification that it sends' },
)

const Rule = Type.Object(
  {
    id: text('Name of the rule: letters, digits, `_` and `-`'),
    tenant: tenant(),
    topic: optionalText('Topics it looks at: `{name}` takes one level, `{name...}` the rest'),
    event: optionalText('Events it looks at instead, such as `order.*`'),
    expect: optionalText(
      'Topics on which silence is an alarm: every one that was ever heard is expected again',
    ),
    every: Type.Optional(duration('With `expect`: how often something has to come')),
    grace: duration('With `expect`: how much longer it may take', '0s'),
    unless: optionalText(
      'With `expect`: a condition on the last message that excuses silence, such as `payload.state == "asleep"`',
    ),
    when: optionalText('Condition on the message, such as `payload.temperature > -12`; always unless set'),
    resolve_when: optionalText('Condition on which the alert of this rule ends'),
    alert: Type.Optional(RuleAlert),
    notify: Type.Optional(RuleNotify),
  },
  closed,
)

/** What payloads that were not made for this program become (contract section 8). */
export const Rules = Type.Array(Rule, {
  default: [],
  description: 'What other payloads, events and silence become; every rule that fits counts, in this order',
})

/** Jobs that report over HTTP or MQTT, and whose silence is an alarm. */
export const Heartbeats = Type.Record(
  Type.String(),
  Type.Object(
    {
      tenant: tenant(),
      every: duration('How often it has to report'),
      grace: duration('How much longer it may take', '0s'),
      alert: Type.Optional(
        Type.Object(
          {
            severity: level(),
            type: text('Type of the alert', { default: 'heartbeat_missed' }),
            message: optionalText('What happened; a template'),
          },
          { ...closed, description: 'The alert that its silence raises' },
        ),
      ),
    },
    closed,
  ),
  {
    default: {},
    entry: 'name',
    description: 'Jobs whose silence is an alarm, by the name under which they report',
  },
)

/** The alarm about a machine that is gone without having said goodbye. */
export const ClientPresence = Type.Object(
  {
    grace: duration('How long it may be away', '30s'),
    alert: Type.Object(
      {
        severity: Type.Enum([...ALERT_LEVELS], { description: 'Level of the alert', default: 'warning' }),
        type: text('Type of the alert', { default: 'client_offline' }),
      },
      { ...closed, default: {}, description: 'The alert that its loss raises' },
    ),
  },
  { ...closed, description: 'Alarm when its last MQTT connection is lost without DISCONNECT' },
)
