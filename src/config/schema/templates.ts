import Type from 'typebox'
import { closed, optionalText } from './fields.ts'

const part = (description: string) => ({ ...closed, description })

const titled = (description: string) =>
  Type.Optional(
    Type.Object({ title: optionalText('Its title'), text: optionalText('Its text') }, part(description)),
  )

const spoken = (description: string) =>
  Type.Optional(Type.Object({ text: optionalText('All that is said') }, part(description)))

const parts = {
  default: Type.Optional(
    Type.Object(
      { title: optionalText('Title, or subject'), message: optionalText('Text') },
      part('For every channel without a part of its own'),
    ),
  ),
  app: Type.Optional(
    Type.Object(
      { title: optionalText('Title'), message: optionalText('Text') },
      part('The entry in the inbox of a person; `default` leaves it as it was published'),
    ),
  ),
  email: Type.Optional(
    Type.Object(
      {
        subject: optionalText('Subject'),
        text: optionalText('Plain text'),
        html: optionalText('HTML, values escaped; without it the text is laid out'),
      },
      part('E-mail'),
    ),
  ),
  sms: spoken('Text messages'),
  voice: spoken('Phone calls'),
  speech: spoken('Speech in the browser'),
  push: titled('Push messages to apps'),
  web_push: titled('Push messages to browsers'),
  telegram: titled('Telegram messages'),
  webhook: titled('Requests to other programs'),
}

/** What the messages about one kind of event say, in Liquid, by channel and language (checklist C22). */
const Template = Type.Object(
  {
    ...parts,
    locales: Type.Record(Type.String(), Type.Object(parts, closed), {
      default: {},
      entry: 'locale',
      description: 'The same for people of a language: `de-AT`, else `de`, else the parts above',
    }),
  },
  closed,
)

export const Templates = Type.Record(Type.String(), Template, {
  default: {},
  entry: 'event',
  description:
    'What messages say, by event, type or category, or `alert.<type>`; `*` stands for any characters, the longest pattern wins',
})
