import type { Config } from '../config/schema/schema.ts'
import type { ChannelName } from '../delivery/delivery.ts'
import { specificity } from '../directory/alert-type.ts'
import { matcher } from '../preferences/wishes.ts'
import type { TemplateFormat } from './liquid-engines.ts'

export type Templates = Config['templates']

/** Channels that can have words of their own; `app` is the inbox, `default` serves all others that have none. */
export const PART_NAMES = [
  'default',
  'app',
  'email',
  'sms',
  'voice',
  'speech',
  'push',
  'web_push',
  'telegram',
  'webhook',
] as const satisfies readonly ('default' | 'app' | ChannelName)[]
export type PartName = (typeof PART_NAMES)[number]

/** The sources of one message, whatever the channel calls them. */
export interface Part {
  readonly title?: string
  readonly text?: string
  readonly html?: string
}

export interface ChosenPart {
  /** The key under `templates`. */
  readonly pattern: string
  /** The key under its `locales`, or null for the parts of no language. */
  readonly locale: string | null
  readonly name: PartName
  readonly part: Part
}

/**
 * The words for a message. The pattern that fits one of the names best decides: a literal one before all others, then
 * the longest. Within it the person's language comes before the channel: German words made for every channel before
 * English ones made for this one (checklist C22). Null leaves the message as it was published.
 */
export function choosePart(
  templates: Templates,
  asked: { readonly names: readonly string[]; readonly channel: ChannelName; readonly locale: string },
): ChosenPart | null {
  const pattern = bestPattern(Object.keys(templates), asked.names)
  const template = pattern === undefined ? undefined : templates[pattern]
  if (pattern === undefined || template === undefined) return null
  const names = partsFor(asked.channel)
  for (const locale of [...localesFor(Object.keys(template.locales), asked.locale), null]) {
    const parts = locale === null ? template : template.locales[locale]
    for (const name of names) {
      const part = parts?.[name]
      if (part !== undefined) return { pattern, locale, name, part: partOf(part) }
    }
  }
  return null
}

/** An entry of an inbox is kept as it was published unless there are words for this very place. */
function partsFor(channel: ChannelName): readonly PartName[] {
  if (channel === 'realtime') return ['app']
  return [...PART_NAMES.filter((name) => name === channel), 'default']
}

function bestPattern(patterns: readonly string[], names: readonly string[]): string | undefined {
  const fitting = names.flatMap((name) => patterns.filter((pattern) => matcher(pattern)(name)))
  // The sort is stable: among equals the earlier name stays first.
  return fitting.toSorted((a, b) => Math.sign(specificity(b) - specificity(a)) || 0)[0]
}

/** Of the languages there are, those for a person, the closest first: `de-AT`, then `de`. */
function localesFor(known: readonly string[], wanted: string): readonly string[] {
  const subtags = wanted.toLowerCase().split('-')
  return subtags.flatMap((_, index) => {
    const tag = subtags.slice(0, subtags.length - index).join('-')
    return known.filter((locale) => locale.toLowerCase() === tag)
  })
}

type Fields = Readonly<Partial<Record<'title' | 'subject' | 'text' | 'message' | 'html', string>>>

function partOf(fields: Fields): Part {
  const title = fields.title ?? fields.subject
  const text = fields.text ?? fields.message
  return {
    ...(title !== undefined && { title }),
    ...(text !== undefined && { text }),
    ...(fields.html !== undefined && { html: fields.html }),
  }
}

/** One source and where it stands below `templates`. */
export interface TemplateField {
  readonly path: readonly string[]
  readonly source: string
  readonly format: TemplateFormat
}

/** Every source there is, in the order of the file. */
export function eachField(templates: Templates): readonly TemplateField[] {
  return eachPart(templates).flatMap(({ path, fields }) =>
    Object.entries(fields).map(([field, source]) => ({
      path: [...path, field],
      source,
      format: field === 'html' ? ('html' as const) : ('text' as const),
    })),
  )
}

/** Every part there is, with its sources under the names of the file. */
export function eachPart(templates: Templates): readonly {
  readonly pattern: string
  readonly locale: string | null
  readonly name: PartName
  readonly path: readonly string[]
  readonly fields: Fields
}[] {
  return Object.entries(templates).flatMap(([pattern, template]) =>
    [null, ...Object.keys(template.locales)].flatMap((locale) =>
      PART_NAMES.flatMap((name) => {
        const fields = (locale === null ? template : template.locales[locale])?.[name]
        if (fields === undefined) return []
        const path = locale === null ? [pattern, name] : [pattern, 'locales', locale, name]
        return [{ pattern, locale, name, path, fields }]
      }),
    ),
  )
}
