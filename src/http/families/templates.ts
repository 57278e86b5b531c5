import Type from 'typebox'
import { isLocale } from '../../config/checks/contacts.ts'
import { CHANNEL_NAMES } from '../../delivery/delivery.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { eachPart, PART_NAMES } from '../../template/choose-part.ts'
import { missingFields } from '../../template/wordings.ts'
import { previewMessage, type PreviewDeps } from '../../template/preview.ts'
import { FAILURES, listOf, type App } from '../app.ts'
import { caller } from '../guard.ts'

const TemplateSchema = Type.Object(
  {
    event: Type.String({ description: 'The pattern under `templates`' }),
    locale: Type.Union([Type.String(), Type.Null()]),
    channel: Type.Enum([...PART_NAMES]),
    fields: Type.Record(Type.String(), Type.String(), { description: 'The sources, in Liquid' }),
    variables: Type.Array(Type.String(), { description: 'What the sources ask the data for' }),
  },
  {
    $id: 'Template',
    examples: [
      {
        event: 'payment.*',
        locale: 'de',
        channel: 'sms',
        fields: { text: 'Zahlung über {{ data.amount }} eingegangen' },
        variables: ['data'],
      },
    ],
  },
)

const PreviewBody = Type.Object(
  {
    event: Type.String({ minLength: 1, maxLength: 200, description: 'An event, or `alert.<type>`' }),
    channel: Type.Enum([...CHANNEL_NAMES]),
    locale: Type.Optional(Type.String({ maxLength: 50, description: 'Instead of that of the user' })),
    user: Type.Optional(
      Type.String({ maxLength: 200, description: 'Whose name, language and time zone count' }),
    ),
    data: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
    title: Type.String({ maxLength: 1000, default: 'Notification' }),
    message: Type.String({ maxLength: 100_000, default: '' }),
  },
  {
    examples: [{ event: 'payment.received', channel: 'email', locale: 'de-AT', data: { amount: '12,50 €' } }],
  },
)

const PreviewAnswer = Type.Object(
  {
    template: Type.Union([
      Type.Null(),
      Type.Object({
        event: Type.String(),
        locale: Type.Union([Type.String(), Type.Null()]),
        channel: Type.String(),
      }),
    ]),
    subject: Type.Optional(Type.String()),
    text: Type.String(),
    html: Type.Optional(Type.String()),
    segments: Type.Optional(Type.Integer()),
    faults: Type.Array(
      Type.Object({
        field: Type.String(),
        message: Type.String(),
        line: Type.Integer(),
        column: Type.Integer(),
      }),
      { description: 'Why the template fails; the message is the plain one then' },
    ),
  },
  { description: 'The message as it would be sent' },
)

/** `/v1/templates`: what the configuration's templates are and what they make of data, for operators (N13). */
export function templates(app: App, engine: Engine, deps: PreviewDeps): void {
  const config = { access: 'operator' } as const
  app.addSchema(TemplateSchema)

  app.get(
    '/templates',
    {
      config,
      schema: {
        summary: 'The templates of the configuration',
        tags: ['templates'],
        response: { 200: listOf('Template', 'All of them'), ...FAILURES },
      },
    },
    async () => ({
      items: eachPart(deps.templates()).map(({ pattern, locale, name, fields }) => ({
        event: pattern,
        locale,
        channel: name,
        fields,
        variables: [
          ...new Set(Object.entries(fields).flatMap(([field, source]) => variablesOf(source, field))),
        ],
      })),
    }),
  )

  const variablesOf = (source: string, field: string): readonly string[] => {
    const compilation = deps.compile(source, field === 'html' ? 'html' : 'text')
    return compilation.ok ? compilation.template.variables : []
  }

  app.post(
    '/templates/preview',
    {
      config: { ...config, errors: ['publish.unknown_user', 'template.missing_fields'] },
      schema: {
        summary: 'What a message would look like; nothing is sent',
        tags: ['templates'],
        body: PreviewBody,
        response: { 200: PreviewAnswer, ...FAILURES },
      },
    },
    async (request) => {
      const { id, tenant } = caller(request)
      const recipient = recipientOf(engine, { tenant, caller: id, ...request.body })
      const { event, channel, data, title, message } = request.body
      const now = engine.clock.now()
      const asked = { event, channel, data, title, message, recipient, tenant, now }
      const preview = previewMessage(deps, asked)
      if (preview === null)
        throw fault('request.invalid', `Nothing is rendered for ${channel}`, { field: 'channel', in: 'body' })
      const { chosen, rendered, missing, faults } = preview
      if (missing.length > 0) throw fault('template.missing_fields', missingFields(missing), { missing })
      const { subject, text, html, segments } = rendered
      return {
        template: chosen && { event: chosen.pattern, locale: chosen.locale, channel: chosen.name },
        ...(subject !== undefined && { subject }),
        text,
        ...(html !== undefined && { html }),
        ...(segments !== undefined && { segments }),
        faults: [...faults],
      }
    },
  )
}

/** The person named, else the caller, else somebody without a name. */
function recipientOf(
  { directory }: Engine,
  asked: {
    readonly tenant: string
    readonly caller: string
    readonly user?: string | undefined
    readonly locale?: string | undefined
  },
) {
  if (asked.locale !== undefined && !isLocale(asked.locale)) {
    throw fault('request.invalid', `"${asked.locale}" is no language such as en, de or pt-BR`, {
      field: 'locale',
      in: 'body',
    })
  }
  const person = directory.user(asked.user ?? asked.caller)
  if (asked.user !== undefined && person?.tenant !== asked.tenant) throw fault('publish.unknown_user')
  const { id, name, locale, timezone } = person ?? { id: 'preview', name: '', locale: 'en', timezone: 'UTC' }
  return { id, name, locale: asked.locale ?? locale, timezone }
}
