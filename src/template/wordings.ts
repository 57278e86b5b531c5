import type { RenderInput, Wording, WordingFailure } from '../delivery/channel.ts'
import { cut } from '../delivery/message/text.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { choosePart, type ChosenPart, type Templates } from './choose-part.ts'
import { messageData, templateNames } from './message-data.ts'
import type { Compile } from './template-cache.ts'
import { formatTemplateFault, type TemplateData, type TemplateFault } from './template.ts'

export interface WordingsDeps {
  readonly templates: () => Templates
  readonly compile: Compile
  readonly log: Log
  readonly metrics: Pick<Metrics, 'templateFailures'>
}

/** How many failures are told apart; there are no more templates than that. */
const MOST_TOLD = 1000
const LONGEST_FAILURE = 300
/** Channels where a text is all there is. */
const WITHOUT_TITLE: ReadonlySet<string> = new Set(['sms', 'voice', 'speech'])

/**
 * Makes what finds the words that the configuration's templates have for a message. It answers null for a message
 * without a template. One whose template fails, or shows what its data do not have, goes out as it was published: no
 * words, but the failure, which is counted, and told in the log once (promise P10). It never throws.
 */
export function createWordings({
  templates,
  compile,
  log,
  metrics,
}: WordingsDeps): (input: RenderInput) => Wording | null {
  const told = new Set<string>()
  const failed = (channel: string, failure: Readonly<Record<string, unknown>>) => {
    metrics.templateFailures.inc({ channel })
    const which = JSON.stringify(failure)
    if (told.size >= MOST_TOLD || told.has(which)) return
    told.add(which)
    log.error(failure, 'a template fails; the plain text is sent')
  }
  return (input) => {
    const { channel } = input.delivery
    try {
      const chosen = chosenFor(templates(), input)
      if (chosen === null) return null
      const { wording, faults, missing } = word(chosen, messageData(input), compile)
      const [first] = faults
      if (first === undefined) return wording
      const { pattern: event, locale, name: part } = chosen
      const { field } = first
      const failure = missing.length > 0 ? missingFields(missing) : formatTemplateFault(first)
      failed(channel, { event, locale, part, field, failure })
      const code = missing.length > 0 ? 'template_missing_fields' : 'template_failed'
      return asPublished(
        code,
        `${[event, ...(locale === null ? [] : [locale]), part, field].join(' ')}: ${failure}`,
      )
    } catch (error) {
      // Data that no renderer of ours can show, such as an instant that is none.
      failed(channel, { failure: String(error) })
      return asPublished('template_failed', String(error))
    }
  }
}

/** `Missing fields: data.amount, data.order.id`. */
export function missingFields(paths: readonly string[]): string {
  return cut(`Missing fields: ${paths.join(', ')}`, LONGEST_FAILURE)
}

function asPublished(code: WordingFailure['code'], message: string): Wording {
  return { alone: false, failure: { code, message: cut(message, LONGEST_FAILURE) } }
}

/** The part for a message; how an alert ended, and whether it is in hand, is told without: a page says something else. */
export function chosenFor(templates: Templates, input: RenderInput): ChosenPart | null {
  const { channel, purpose } = input.delivery
  if (purpose === 'outcome' || purpose === 'reminder') return null
  return choosePart(templates, {
    names: templateNames(input),
    channel,
    locale: input.recipient?.locale ?? 'en',
  })
}

export interface Worded {
  /** What could be rendered of the part. */
  readonly wording: Wording
  readonly faults: readonly (TemplateFault & { readonly field: 'title' | 'text' | 'html' })[]
  /** Paths that the templates show and the data do not have, or have as null; each is a fault as well. */
  readonly missing: readonly string[]
}

/** Renders every field of a part. Pure and total. */
export function word({ name, part }: ChosenPart, data: TemplateData, compile: Compile): Worded {
  const wording: { title?: string; text?: string; html?: string } = {}
  const faults: Worded['faults'][number][] = []
  const missing = new Set<string>()
  for (const field of ['title', 'text', 'html'] as const) {
    const source = part[field]
    if (source === undefined) continue
    const compilation = compile(source, field === 'html' ? 'html' : 'text')
    const rendering = compilation.ok
      ? compilation.template.render(data, 'whole')
      : { ...compilation, missing: [] }
    if (rendering.ok) wording[field] = rendering.text
    else {
      faults.push({ ...rendering.fault, field })
      for (const path of rendering.missing) missing.add(path)
    }
  }
  return { wording: { ...wording, alone: WITHOUT_TITLE.has(name) }, faults, missing: [...missing] }
}
