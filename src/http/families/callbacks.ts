import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Config } from '../../config/schema/schema.ts'
import type { DeliveryReport } from '../../delivery/answers/delivery-report.ts'
import { isSignedByTwilio } from '../../delivery/providers/twilio-signature.ts'
import { messageTwiml, sayTwiml } from '../../delivery/providers/twiml.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { FAILURES, type App } from '../app.ts'

type Fields = Readonly<Record<string, string>>

const FORM = 'application/x-www-form-urlencoded'
const BODY_BYTES = 64 * 1024

const Form = Type.Record(Type.String(), Type.String(), {
  description: 'The form of the provider, signed in `X-Twilio-Signature`',
})
const Query = Type.Object({ delivery: Type.String({ minLength: 1, maxLength: 300 }) })
const TWIML = { 200: Type.String({ description: 'TwiML: what is answered or said' }), ...FAILURES }

/** `/v1/callbacks/twilio`: what the provider of SMS and calls reports and passes on (contract section 6). */
export function callbacks(app: App, engine: Engine): void {
  app.addContentTypeParser(FORM, { parseAs: 'string' }, async (_request: unknown, body: string) =>
    Object.fromEntries(new URLSearchParams(body)),
  )
  const route = {
    config: { access: 'open', errors: ['auth.forbidden'] },
    bodyLimit: BODY_BYTES,
    preHandler: async (request: FastifyRequest) => demandSignature(engine.config, request),
  } as const
  const about = { tags: ['callbacks'], security: [{ twilioSignature: [] }], consumes: [FORM], body: Form }

  app.post(
    '/callbacks/twilio/sms',
    {
      ...route,
      schema: { summary: 'A text message from a phone', ...about, produces: ['text/xml'], response: TWIML },
    },
    async (request, reply) => {
      const { MessageSid: id = '', From: from = '', Body: text = '' } = request.body
      const answer = id === '' ? null : await engine.callbacks.text({ id, from, text })
      return reply.type('text/xml; charset=utf-8').send(messageTwiml(answer))
    },
  )

  app.post(
    '/callbacks/twilio/voice',
    {
      ...route,
      schema: {
        summary: 'A key pressed during a call',
        ...about,
        produces: ['text/xml'],
        querystring: Query,
        response: TWIML,
      },
    },
    async (request, reply) => {
      const { CallSid: callId = '', To: address = '', Digits: digits = '' } = request.body
      const { delivery: deliveryId } = request.query
      const said = await engine.callbacks.key({ callId, deliveryId, address, digits })
      return reply.type('text/xml; charset=utf-8').send(sayTwiml(said))
    },
  )

  app.post(
    '/callbacks/twilio/status',
    {
      ...route,
      schema: {
        summary: 'What became of a message or call',
        ...about,
        querystring: Query,
        response: { 204: Type.Null({ description: 'Noted' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      const report = reportOf(request.body, request.query.delivery)
      if (report !== null) await engine.callbacks.report(report)
      return reply.code(204).send(null)
    },
  )
}

const ARRIVED = /^(delivered|read|completed)$/
const FAILED = /^(undelivered|failed|busy|no-answer|canceled)$/

/** Null for a state on the way, which says nothing about the end. */
function reportOf(fields: Fields, deliveryId: string): DeliveryReport | null {
  const { MessageSid, CallSid, MessageStatus, CallStatus, ErrorCode, To: address = '' } = fields
  const status = MessageStatus ?? CallStatus ?? ''
  const about = { deliveryId, providerId: MessageSid ?? CallSid ?? '', address }
  if (ARRIVED.test(status)) return { ...about, state: 'delivered', reason: null }
  if (!FAILED.test(status)) return null
  const code = /^[0-9]{1,6}$/.exec(ErrorCode ?? '')?.[0]
  const word = `${MessageStatus === undefined ? 'call' : 'sms'}_${status.replace('-', '_')}`
  return { ...about, state: 'dead', reason: code === undefined || code === '0' ? word : `twilio_${code}` }
}

/** The address as the provider knows it, never as the request claims it (security row 25). */
function demandSignature(config: Config, request: FastifyRequest): void {
  const { public_url: publicUrl } = config.server
  const given = request.headers['x-twilio-signature']
  const fields = request.body as Fields
  const url = `${publicUrl?.replace(/\/+$/, '')}${request.url}`
  if (
    publicUrl === undefined ||
    typeof given !== 'string' ||
    !isSignedByTwilio(authTokens(config), given, url, fields)
  ) {
    throw fault('auth.forbidden', 'The signature of this callback is not right')
  }
}

function authTokens({ channels: { sms, voice } }: Config): string[] {
  const accounts = [sms, ...sms.providers, voice]
  return [...new Set(accounts.flatMap(({ auth_token: token }) => (token ? [token] : [])))]
}
