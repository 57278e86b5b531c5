import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

/** What goes to open pages is shown as it comes; only what leaves the program can be gathered. */
export function checkDigests({ digests }: Config): Finding[] {
  return digests.flatMap(({ channels }, rule) =>
    channels.flatMap((channel, index) =>
      channel === 'realtime'
        ? [
            {
              path: ['digests', rule, 'channels', index],
              message: 'what is shown live cannot be gathered; name channels such as email, sms or push',
            },
          ]
        : [],
    ),
  )
}
