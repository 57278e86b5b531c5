import Type from 'typebox'
import { closed, duration, texts } from './fields.ts'

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
