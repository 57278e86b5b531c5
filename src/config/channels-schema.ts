import Type from 'typebox'
import { WEBHOOK_FORMATS } from '../delivery/webhook-format.ts'
import { closed, httpUrl, mode, optionalText, secret, text, texts } from './fields.ts'

const section = (description: string) => ({ ...closed, default: {}, description })

const Endpoint = Type.Object(
  {
    // The path of a Slack or Discord URL is all it takes to write there.
    url: { ...httpUrl('Where the request goes'), secret: true },
    secret: secret('Signs the request; without it there is no signature'),
    format: Type.Enum(WEBHOOK_FORMATS, {
      default: 'json',
      description: 'Whose form the body has; `json` is our own',
    }),
  },
  closed,
)

export const Channels = Type.Object(
  {
    email: Type.Object(
      {
        mode: mode(),
        smtp_url: secret('smtp://user:password@host:587, or smtps:// for TLS from the start'),
        from: text('Sender of every mail', { default: 'Carillon <carillon@localhost>' }),
      },
      section('E-mail over SMTP'),
    ),
    sms: Type.Object(
      {
        mode: mode(),
        provider: Type.Enum(['twilio'], { default: 'twilio', description: 'Whose interface is spoken' }),
        account_sid: optionalText('Account at the provider'),
        auth_token: secret('Password of the account; also checks the signature of replies'),
        from: optionalText('Number or name of the sender'),
        base_url: Type.Optional(httpUrl('A gateway that speaks the same interface')),
      },
      section('Text messages'),
    ),
    voice: Type.Object(
      {
        mode: mode(),
        provider: Type.Enum(['twilio'], { default: 'twilio', description: 'Whose interface is spoken' }),
        account_sid: optionalText('Account at the provider'),
        auth_token: secret('Password of the account'),
        from: optionalText('Number that calls'),
        base_url: Type.Optional(httpUrl('A gateway that speaks the same interface')),
      },
      section('Phone calls'),
    ),
    push: Type.Object(
      { mode: mode(), service_account_file: optionalText('Path of the service account of Firebase') },
      section('Push messages to apps'),
    ),
    web_push: Type.Object(
      {
        mode: mode(),
        subject: optionalText('mailto: or https: address of whoever runs the server'),
        vapid_public_key: optionalText('Public key that browsers subscribe with'),
        vapid_private_key: secret('Its private key'),
      },
      section('Push messages to browsers'),
    ),
    telegram: Type.Object(
      {
        mode: mode(),
        bot_token: secret('Token of the bot'),
        api_root: Type.Optional(httpUrl('Another server of the bot interface')),
      },
      section('Telegram messages'),
    ),
    webhook: Type.Object(
      {
        mode: mode(),
        allow: texts(
          'Hosts, addresses and networks that may be called although they are private, or over http or another port',
        ),
        endpoints: Type.Record(Type.String(), Endpoint, {
          default: {},
          entry: 'name',
          description: 'Named by `webhook:<name>` in escalation steps',
        }),
      },
      section('Requests to other programs'),
    ),
  },
  section('How people are reached. Every channel is captured unless set otherwise'),
)
