import Type from 'typebox'
import { ON_AMBIGUOUS } from '../../delivery/attempt/ambiguity.ts'
import { WEBHOOK_FORMATS } from '../../delivery/message/webhook-format.ts'
import { closed, flag, httpUrl, mode, optionalText, secret, text, texts, whole } from './fields.ts'

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
    token: secret('Sent as `Authorization: Bearer`'),
    routing_key: secret('`pagerduty`: key of the integration "Events API v2"'),
    topic: secret('`ntfy`: the topic that is published to'),
  },
  closed,
)

const onAmbiguous = () =>
  Type.Optional(
    Type.Enum(ON_AMBIGUOUS, {
      description:
        'What becomes of a message that may have arrived, because an answer or the process was lost: `retry` sends it again, `give_up` ends it, `reconcile` asks the provider (Twilio only). Unless set, ordinary SMS are given up and everything else is sent again',
    }),
  )

const account = {
  account_sid: optionalText('Account at Twilio'),
  auth_token: secret('Password of the account; also checks the signature of what comes back'),
  base_url: Type.Optional(httpUrl('A gateway that speaks the interface of Twilio')),
}

const smsProvider = {
  provider: Type.Enum(['twilio', 'http'], {
    default: 'twilio',
    description: 'Whose interface is spoken: that of Twilio, or any that takes one HTTP request per message',
  }),
  ...account,
  from: optionalText('Number or name of the sender'),
  messaging_service_sid: optionalText('Messaging service of Twilio that chooses the sender'),
  url: Type.Optional(
    httpUrl('`http`: where the request goes; may hold {{to}}, {{from}}, {{text}} and {{id}}'),
  ),
  method: Type.Enum(['POST', 'PUT', 'GET'], { default: 'POST', description: '`http`: how it is asked' }),
  headers: Type.Record(
    Type.String(),
    Type.String({ secret: true, description: '`http`: value of the header' }),
    {
      default: {},
      entry: 'name',
      description: '`http`: headers; `content-type` also decides how the body is encoded',
    },
  ),
  body: text('`http`: the body, with the same placeholders', {
    default: '{"to":"{{to}}","from":"{{from}}","text":"{{text}}","id":"{{id}}"}',
  }),
  id_path: optionalText('`http`: where the answer holds the id of the message, such as messages.0.id'),
}

const MqttTopic = Type.Object(
  {
    topic: text('Where it is published, such as plant/siren/set; none of the product itself'),
    payload: optionalText(
      'What is published; may hold {{id}}, {{type}}, {{severity}}, {{status}}, {{title}}, {{message}}, {{source}} and {{step}}. JSON with all of the alert unless set',
    ),
    resolved_payload: optionalText(
      'Published once when an alert is resolved that this topic was told of; the same placeholders',
    ),
    qos: whole('Quality of service', { minimum: 0, maximum: 2, default: 1 }),
    retain: flag('Whether the broker keeps it for who subscribes later', false),
  },
  closed,
)

export const Channels = Type.Object(
  {
    email: Type.Object(
      {
        mode: mode(),
        provider: Type.Enum(['smtp', 'mailgun'], {
          default: 'smtp',
          description: 'A mail server, or whoever speaks the HTTP interface of Mailgun',
        }),
        on_ambiguous: onAmbiguous(),
        smtp_url: secret('smtp://user:password@host:587, or smtps:// for TLS from the start'),
        domain: optionalText('`mailgun`: the sending domain'),
        api_key: secret('`mailgun`: key of the account or of the domain'),
        base_url: Type.Optional(
          httpUrl('`mailgun`: https://api.eu.mailgun.net, or another server of its interface'),
        ),
        from: text('Sender of every mail', { default: 'Carillon <carillon@localhost>' }),
        attachments: Type.Object(
          {
            allow: texts(
              'Hosts, addresses and networks that files may come from although they are private, or over http or another port',
            ),
            max_bytes: whole('Bytes of all files of one mail', {
              minimum: 1,
              maximum: 50 * 1024 * 1024,
              default: 10 * 1024 * 1024,
            }),
          },
          section('Files that go with a mail, fetched from the URLs it names'),
        ),
      },
      section('E-mail'),
    ),
    sms: Type.Object(
      {
        mode: mode(),
        on_ambiguous: onAmbiguous(),
        ...smsProvider,
        countries: texts('Beginnings of the numbers that may be sent to, such as +49; empty for all'),
        allow_premium: flag('Sends to numbers that charge whoever sends to them, too', false),
        providers: Type.Array(
          Type.Object(
            {
              name: text('What it is called in the log'),
              ...smsProvider,
              countries: texts('Beginnings of the numbers that it serves; empty for all'),
            },
            closed,
          ),
          {
            default: [],
            description: 'Several providers, in the order in which they are tried, instead of the one above',
          },
        ),
      },
      section('Text messages'),
    ),
    voice: Type.Object(
      {
        mode: mode(),
        on_ambiguous: onAmbiguous(),
        provider: Type.Enum(['twilio'], { default: 'twilio', description: 'Whose interface is spoken' }),
        ...account,
        from: optionalText('Number that calls'),
        countries: texts('Beginnings of the numbers that may be called, such as +49; empty for all'),
      },
      section('Phone calls; need `server.public_url`, where keys that are pressed arrive'),
    ),
    push: Type.Object(
      {
        mode: mode(),
        on_ambiguous: onAmbiguous(),
        service_account: secret(
          'The service account of Firebase as JSON; `service_account_file` names the file of the Firebase console',
        ),
        base_url: Type.Optional(httpUrl('Another server of the interface of FCM')),
        token_url: Type.Optional(
          httpUrl('Where access tokens come from, unless where the service account says'),
        ),
      },
      section('Push messages to apps, over Firebase Cloud Messaging'),
    ),
    web_push: Type.Object(
      {
        mode: mode(),
        on_ambiguous: onAmbiguous(),
        subject: optionalText(
          'mailto: or https: address of whoever runs the server; `server.public_url` unless set',
        ),
        vapid_public_key: optionalText(
          'Public key that browsers subscribe with; without it a pair is made and kept in the store',
        ),
        vapid_private_key: secret('Its private key'),
        allow: texts(
          'Hosts, addresses and networks that subscriptions may name beside the known push services',
        ),
      },
      section('Push messages to browsers'),
    ),
    telegram: Type.Object(
      {
        mode: mode(),
        on_ambiguous: onAmbiguous(),
        bot_token: secret('Token of the bot'),
        api_root: Type.Optional(httpUrl('Another server of the bot interface')),
      },
      section('Telegram messages'),
    ),
    webhook: Type.Object(
      {
        mode: mode(),
        on_ambiguous: onAmbiguous(),
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
    speech: Type.Object(
      { mode: mode(), on_ambiguous: onAmbiguous() },
      section('Sentences that an open page of the person reads out; goes to `users/<id>/events/speech`'),
    ),
    mqtt: Type.Object(
      {
        mode: mode(),
        on_ambiguous: onAmbiguous(),
        topics: Type.Record(Type.String(), MqttTopic, {
          default: {},
          entry: 'name',
          description: 'Named by `mqtt:<name>` in escalation steps',
        }),
      },
      section('Sirens, lamps and controllers that subscribe to a topic'),
    ),
  },
  section('How people are reached. Every channel is captured unless set otherwise'),
)
