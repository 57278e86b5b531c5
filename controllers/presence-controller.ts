import Type, { type Static } from 'typebox'
import type { Context, Decision } from '#engine'
import { Data } from './fields.ts'

export const PresenceBody = Type.Object(
  {
    session_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    device_info: Data,
  },
  { examples: [{ session_id: 's-1', device_info: { device: 'web' } }] },
)
type PresenceBody = Static<typeof PresenceBody>
type PresenceContext = Context<{ userId: string }, PresenceBody>

function presence(verb: 'connect' | 'disconnect' | 'heartbeat', context: PresenceContext): Decision {
  return {
    kind: 'presence',
    verb,
    userId: context.params.userId,
    sessionId: context.body.session_id ?? null,
    deviceInfo: context.body.device_info ?? {},
  }
}

/** R26: `{status: "connected", session_id}`. */
export const websocketConnect = (context: PresenceContext): Decision => presence('connect', context)

/** R27: `{status: "disconnected"}`. */
export const websocketDisconnect = (context: PresenceContext): Decision => presence('disconnect', context)

/** R38: extends the session's life. */
export const websocketHeartbeat = (context: PresenceContext): Decision => presence('heartbeat', context)
