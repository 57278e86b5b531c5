import Type, { type Static } from 'typebox'
import { fault, parsePhone, type Context, type Decision } from '#engine'
import { MessageId, Priority, SendAt, sendAtMs } from './fields.ts'

export const SmsBody = Type.Object(
  {
    phone: Type.String({ minLength: 1, maxLength: 64 }),
    message: Type.String({ minLength: 1, maxLength: 4096 }),
    priority: Priority,
    send_at: SendAt,
    id: MessageId,
  },
  { examples: [{ phone: '+4915112345678', message: 'Your code is 271828' }] },
)
type SmsBody = Static<typeof SmsBody>

/** R25: `{status: "sms_sent", result}`. Whether a number that charges its sender is taken is the engine's to say. */
export function sendSms(context: Context<object, SmsBody>): Decision {
  const { body, now } = context
  const address = parsePhone(body.phone, { premium: true })
  if (address === null)
    throw fault(
      'publish.invalid_address',
      `phone: ${JSON.stringify(body.phone)} is no international phone number`,
      { field: 'phone' },
    )
  return {
    kind: 'direct',
    channel: 'sms',
    shape: 'one',
    messages: [
      {
        address,
        text: body.message,
        priority: body.priority ?? 'normal',
        sendAt: sendAtMs(body.send_at, now),
      },
    ],
  }
}
