import Type from 'typebox'
import { closed, duration, texts } from './fields.ts'
import { CHANNEL_NAMES } from '../delivery/delivery.ts'

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

/** Test pages that show that people can be reached. */
export const Canary = Type.Object(
  {
    every: Type.Optional(duration('How often a test message is sent; never unless set')),
    user: Type.Optional(Type.String({ description: 'Who gets it' })),
    team: Type.Optional(Type.String({ description: 'Or the team whose person on call gets it' })),
    channels: Type.Array(Type.Enum([...CHANNEL_NAMES]), {
      default: ['email'],
      description: 'On which channels',
    }),
  },
  { ...closed, default: {}, description: 'Test messages that measure how long each channel takes' },
)
