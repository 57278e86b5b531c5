import Type from 'typebox'
import { CHANNEL_NAMES, DELIVERY_STATES } from '../../delivery/delivery.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { rfc3339 } from '../../wire/instant.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { InstantText, parseInstant } from '../instant-query.ts'

const DAY_MS = 24 * 60 * 60_000
const LONGEST_WINDOW_MS = 366 * DAY_MS
/** Counting more would keep other reads waiting for longer than a blink. */
const MOST_COUNTED = 100_000

const Statistics = Type.Object(
  {
    from: Type.String({
      format: 'date-time',
      description: `As asked, or later where there are more than ${MOST_COUNTED.toLocaleString('en')}: the newest count`,
    }),
    to: Type.String({ format: 'date-time' }),
    items: Type.Array(
      Type.Object({
        channel: Type.Enum([...CHANNEL_NAMES]),
        state: Type.Enum([...DELIVERY_STATES]),
        reason: Type.Union([Type.String(), Type.Null()]),
        count: Type.Integer(),
        seconds_to_send: Type.Union([Type.Number(), Type.Null()], {
          description: 'On average, from when it was due to when it was sent',
        }),
      }),
    ),
  },
  { description: 'How many deliveries came to what' },
)

/** `GET /v1/deliveries/statistics`: what became of the deliveries of a time, for operators (checklist C19). */
export function deliveryStatistics(app: App, { clock, store }: Engine): void {
  app.get(
    '/deliveries/statistics',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'How many deliveries came to what, by channel',
        tags: ['deliveries'],
        querystring: Type.Object({
          from: Type.Optional(InstantText('RFC 3339; a day before `to` when absent')),
          to: Type.Optional(InstantText('RFC 3339, not itself counted; now when absent')),
        }),
        response: { 200: Statistics, ...FAILURES },
      },
    },
    async (request) => {
      const { tenant } = caller(request)
      // What came to be in this very millisecond counts.
      const to = parseInstant('to', request.query.to) ?? clock.now() + 1
      const from = parseInstant('from', request.query.from) ?? to - DAY_MS
      if (from > to) throw fault('request.invalid', '`from` is after `to`', { field: 'from', in: 'query' })
      if (to - from > LONGEST_WINDOW_MS)
        throw fault('request.invalid', 'The window is longer than a year', { field: 'from', in: 'query' })
      const counted = await store.deliveryStatistics({ tenant, from, to, limit: MOST_COUNTED })
      return {
        from: rfc3339(counted.from),
        to: rfc3339(to),
        items: counted.counts.map(({ channel, state, reason, count, tookMs }) => ({
          channel,
          state,
          reason,
          count,
          seconds_to_send: tookMs === null ? null : tookMs / 1000,
        })),
      }
    },
  )
}
