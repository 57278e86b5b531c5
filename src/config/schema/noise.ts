import Type from 'typebox'
import { ALERT_LEVELS } from '../../alert/alert.ts'
import { closed, duration, optionalText, text, texts, whole } from './fields.ts'

const MATCH = {
  type: optionalText('Alert type; `*` stands for anything'),
  source: optionalText('Source; `*` stands for anything'),
  severity: Type.Optional(Type.Enum([...ALERT_LEVELS], { description: 'Level' })),
  team: optionalText('Owning team'),
}

const match = (description: string) => Type.Object(MATCH, { ...closed, description })

const times = {
  hold: duration('How long an alert waits for what may explain it before anybody is told', '3s'),
  grace: duration('How long it may take to end by itself once what explained it is over', '30s'),
  when_over: Type.Enum(['release', 'resolve'], {
    default: 'release',
    description: 'Whether it pages when what explained it is over, or is resolved with it',
  }),
}

export const Inhibit = Type.Object(
  {
    source: match('Alerts that explain others while they are open'),
    target: match('Alerts that are kept quiet meanwhile'),
    equal: texts('Fields that must have the same value: type, source, severity, team or data.<name>'),
    ...times,
  },
  closed,
)

export const InhibitTree = Type.Object(
  {
    pattern: text('Source or topic of the parent, such as plant/{site}/gw'),
    children: text('Sources or topics behind it, such as plant/{site}/#'),
    type: optionalText('Alert types of the parent that count; all of them unless set'),
    ...times,
  },
  closed,
)

export const Grouping = Type.Object(
  {
    match: Type.Object(MATCH, {
      ...closed,
      default: {},
      description: 'Alerts that it is about; all unless set',
    }),
    group_by: texts(
      'Fields that must have the same value: type, source or data.<name>; team and level always count',
    ),
    group_wait: Type.Optional(
      duration(
        'How long the first page waits for others; unless set, 0s for critical and 30s for warning alerts',
      ),
    ),
    group_interval: duration('How long after a page the next one tells of what has joined or ended', '1m'),
  },
  closed,
)

export const MaintenanceSettings = Type.Object(
  { remind: duration('How long before a maintenance window everybody is reminded of it', '30m') },
  { ...closed, default: {}, description: 'Maintenance windows' },
)

export const FlappingSettings = Type.Object(
  {
    changes: whole(
      'How often an alert may begin and end within `window`; then it is kept open quietly. 0: as it likes',
      {
        minimum: 0,
        default: 5,
      },
    ),
    window: duration('The time that counts, and for which it has to be quiet to be resolved', '10m'),
  },
  { ...closed, default: {}, description: 'Alerts that come and go' },
)
