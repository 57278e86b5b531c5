import Type from 'typebox'
import type { Context, Decision } from '#engine'

export const EventBody = Type.Unknown({
  description: 'Any JSON',
  examples: [{ user_id: 'anna', order_id: 'o-1' }],
})

/** X18: the topic's levels joined with dots are the event's type. An object may name its `source`. */
export function emitEvent(context: Context<{ type: string }>): Decision {
  const { body } = context
  const data =
    typeof body === 'object' && body !== null && !Array.isArray(body)
      ? (body as Readonly<Record<string, unknown>>)
      : { value: body }
  return {
    kind: 'event',
    type: context.params.type.replaceAll('/', '.'),
    data,
    source: typeof data['source'] === 'string' ? data['source'] : null,
  }
}
