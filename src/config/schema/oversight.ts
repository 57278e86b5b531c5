import Type from 'typebox'
import { CANARY_CHANNELS } from '../../canary/canary.ts'
import { closed, duration, optionalText, texts } from './fields.ts'

/** How the program is watched from outside (promise P21). */
export const Watchdog = Type.Object(
  {
    ping_url: Type.Optional(
      Type.String({
        description: 'Fetched as long as escalations are on time; whoever is behind it notices when it stops',
        secret: true,
      }),
    ),
    every: duration('How often it is fetched', '1m'),
    allow: texts('Hosts, addresses and networks that may be called although they are not public'),
  },
  { ...closed, default: {}, description: 'The watch over escalations' },
)

/** Pages that only show that pages arrive. */
export const Canary = Type.Object(
  {
    every: duration('How often a test page is sent', '1h'),
    within: duration('How soon it has to be taken; else the operators are told', '2m'),
    user: optionalText('Who gets it; without user and team there is none'),
    team: optionalText('Whoever of this team is on call gets it'),
    channels: Type.Array(Type.Enum([...CANARY_CHANNELS]), {
      default: [],
      description: 'Channels that are tried',
    }),
  },
  { ...closed, default: {}, description: 'Test pages that show whether every channel works' },
)
