import type { RequestFacts } from './request-facts.ts'
import { text, type Shape } from './shape.ts'
import { twimlFaults } from './twiml.ts'

const E164 = /^\+[1-9][0-9]{1,14}$/
const ACCOUNT = '/2010-04-01/Accounts/AC[0-9a-f]{32}'
const HEADERS = {
  authorization: /^Basic [A-Za-z0-9+/]+={0,2}$/,
  'content-type': /^application\/x-www-form-urlencoded\b/,
}
/** Its host is a valid one, without underscores. */
const CALLBACK: Shape = text(4000, { form: /^https?:\/\/[A-Za-z0-9.-]+(:\d+)?\/\S*$/ })

export const TWILIO_MESSAGES: RequestFacts = {
  title: 'a message of Twilio',
  pages: [
    'https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource',
    'https://github.com/twilio/twilio-oai (CreateMessage)',
  ],
  method: 'POST',
  path: new RegExp(`^${ACCOUNT}/Messages\\.json$`),
  headers: HEADERS,
  encoding: 'form',
  body: {
    kind: 'object',
    required: { To: text(16, { form: E164 }), Body: text(1600) },
    optional: {
      // A number, or a name of up to eleven letters and digits.
      From: text(16, { form: /^(\+[1-9][0-9]{1,14}|[A-Za-z0-9 ]{1,11})$/ }),
      MessagingServiceSid: text(34, { form: /^MG[0-9a-fA-F]{32}$/ }),
      StatusCallback: CALLBACK,
    },
  },
  rules: (body) =>
    'From' in body || 'MessagingServiceSid' in body ? [] : ['neither From nor MessagingServiceSid'],
}

export const TWILIO_CALLS: RequestFacts = {
  title: 'a call of Twilio',
  pages: [
    'https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource',
    'https://github.com/twilio/twilio-oai (CreateCall)',
  ],
  method: 'POST',
  path: new RegExp(`^${ACCOUNT}/Calls\\.json$`),
  headers: HEADERS,
  encoding: 'form',
  body: {
    kind: 'object',
    required: { To: text(16, { form: E164 }), From: text(16, { form: E164 }), Twiml: text(4000) },
    optional: { StatusCallback: CALLBACK },
  },
  rules: ({ Twiml: document }) => twimlFaults(String(document), 'call'),
}
