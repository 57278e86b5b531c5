import Type, { type Static } from 'typebox'
import {
  fault,
  parsePushToken,
  parsePushTopic,
  PLATFORMS,
  topicAddress,
  type Context,
  type Decision,
  type DirectMessage,
  type Platform,
} from '#engine'
import { Data, MessageId, Priority, Span, spanMs } from './fields.ts'

const Body = Type.Optional(Type.String({ minLength: 1, maxLength: 4096 }))

export const PushBody = Type.Object(
  {
    user_id: Type.Optional(
      Type.String({ minLength: 1, description: 'Whose devices of the platform get it' }),
    ),
    tokens: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        maxItems: 1000,
        description: 'Registration tokens of FCM, instead of user_id',
      }),
    ),
    topic: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Topic of FCM, instead of user_id; its followers on any platform',
      }),
    ),
    title: Type.Optional(Type.String({ maxLength: 255 })),
    body: Body,
    message: Body,
    badge: Type.Optional(Type.Integer({ minimum: 0, maximum: 99_999 })),
    sound: Type.Optional(
      Type.String({
        pattern: '^[^\\p{Cc}\\p{Surrogate}]{1,100}$',
        description: 'Name of a sound of the app',
      }),
    ),
    collapse_key: Type.Optional(
      Type.String({
        pattern: '^[\\x21-\\x7e]{1,64}$',
        description: 'A later push under the same key replaces this one',
      }),
    ),
    ttl: Span,
    priority: Priority,
    data: Data,
    id: MessageId,
  },
  { examples: [{ user_id: 'anna', title: 'Order shipped', body: 'It is on its way.', badge: 1 }] },
)
type PushBody = Static<typeof PushBody>

/**
 * R37: to a person's devices of the platform, with an entry in their inbox; or to tokens, or to a topic, as direct
 * sends. One bad token does not stop the others (R28). An unknown platform is refused.
 */
export function sendPushNotification(context: Context<{ platform: string }, PushBody>): Decision {
  const { body, params } = context
  const platform = platformOf(params.platform)
  const message = body.body ?? body.message
  const targets = [body.user_id, body.tokens, body.topic].filter((target) => target !== undefined)
  if (targets.length !== 1)
    throw fault('publish.invalid_body', 'exactly one of user_id, tokens and topic is required')
  if (message === undefined) throw fault('publish.invalid_body', 'body is required', { field: 'body' })
  const ttlMs = spanMs('ttl', body.ttl)
  const particulars = {
    ...(body.badge !== undefined && { badge: body.badge }),
    ...(body.sound !== undefined && { sound: body.sound }),
    ...(body.collapse_key !== undefined && { collapseKey: body.collapse_key }),
  }
  if (body.user_id !== undefined) {
    const { title, priority, data } = body
    return {
      kind: 'notify',
      to: { user: body.user_id },
      draft: { message, title, type: 'push', priority, data, ttlMs },
      push: { platform, particulars },
    }
  }
  const push = {
    ...particulars,
    ...(body.data !== undefined && { data: body.data }),
    ...(ttlMs !== undefined && { expiresAt: context.now + ttlMs }),
  }
  const messages = addressesOf(body).map((address): DirectMessage => ({
    ...address,
    subject: body.title,
    text: message,
    priority: body.priority ?? 'normal',
    push,
  }))
  return { kind: 'direct', channel: 'push', shape: body.topic === undefined ? 'batch' : 'one', messages }
}

function platformOf(text: string): Platform {
  const platform = PLATFORMS.find((known) => known === text)
  if (platform !== undefined) return platform
  throw fault('publish.invalid_body', `platform ${JSON.stringify(text)} is none of ${PLATFORMS.join(', ')}`, {
    field: 'platform',
  })
}

function addressesOf({ tokens, topic }: PushBody): readonly Pick<DirectMessage, 'address' | 'error'>[] {
  if (topic !== undefined) {
    const name = parsePushTopic(topic)
    if (name === null)
      throw fault('publish.invalid_address', `topic: ${JSON.stringify(topic)} is no topic of FCM`, {
        field: 'topic',
      })
    return [{ address: topicAddress(name) }]
  }
  return (tokens ?? []).map((token) => {
    const address = parsePushToken(token)
    return address === null ? { address: token, error: 'publish.invalid_address' } : { address }
  })
}
