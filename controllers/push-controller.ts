import Type, { type Static } from 'typebox'
import { fault, type Context, type Decision } from '#engine'
import { Data, MessageId, Priority } from './fields.ts'

const PLATFORMS = ['ios', 'android', 'web']

export const PushBody = Type.Object({
  user_id: Type.Optional(Type.String()),
  title: Type.Optional(Type.String({ maxLength: 255 })),
  body: Type.Optional(Type.String({ maxLength: 4096 })),
  message: Type.Optional(Type.String({ maxLength: 4096 })),
  priority: Priority,
  data: Data,
  id: MessageId,
})
type PushBody = Static<typeof PushBody>

/** R37: a notification for the person; it is pushed to the devices they have registered. An unknown platform is refused. */
export function sendPushNotification(context: Context<{ platform: string }, PushBody>): Decision {
  const { body, params } = context
  if (!PLATFORMS.includes(params.platform)) {
    throw fault(
      'publish.invalid_body',
      `platform ${JSON.stringify(params.platform)} is none of ${PLATFORMS.join(', ')}`,
      { field: 'platform' },
    )
  }
  const message = body.body ?? body.message
  if (body.user_id === undefined || message === undefined)
    throw fault('publish.invalid_body', 'user_id and body are required')
  return {
    kind: 'notify',
    to: { user: body.user_id },
    draft: { message, title: body.title, type: 'push', priority: body.priority, data: body.data },
  }
}
