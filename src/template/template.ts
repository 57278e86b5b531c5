import { Context, LiquidError, toValueSync, type Liquid, type Template as Node } from 'liquidjs'
import { limitedOutput, limitSteps, MOST_WORK } from './budget.ts'
import { LIQUID, type TemplateFormat } from './liquid-engines.ts'

/** Names and plain values, as JSON has them: what a template may show. Never a secret, never a function. */
export type TemplateData = Readonly<Record<string, unknown>>

/** A text with placeholders in Liquid, ready to be rendered as often as needed. */
export interface Template {
  readonly format: TemplateFormat
  readonly source: string
  /**
   * Puts the data in. Pure and total: the same data give the same result, no template and no data make it throw, and
   * it ends within bounds (budget.ts) that hold for loops, texts and lists alike. What the data do not have is empty.
   */
  render(data: TemplateData): Rendering
  /** Names that the data have to bring, in the order in which the template uses them first: `['order', 'user']`. */
  readonly variables: readonly string[]
  /** Which of the paths it uses the data do not have, such as `order.id`. What stands in brackets is not looked at. */
  missing(data: TemplateData): readonly string[]
}

export type Rendering =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly fault: TemplateFault }

/** What is wrong with a template, and where in it, both counted from 1. */
export interface TemplateFault {
  readonly message: string
  readonly line: number
  readonly column: number
}

export type Compilation =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly fault: TemplateFault }

type Segments = readonly (string | number | Segments)[]

/** Reads a template. Pure and total: what is no template is a fault, not an exception. */
export function compileTemplate(source: string, format: TemplateFormat): Compilation {
  const liquid = LIQUID[format]
  try {
    const nodes = liquid.parse(source)
    // Looked up while compiling, because a template whose nesting cannot be walked cannot be rendered either.
    const paths: readonly Segments[] = liquid.globalVariableSegmentsSync(nodes)
    const template: Template = {
      format,
      source,
      render: (data) => renderNodes(liquid, nodes, data),
      variables: [...new Set(paths.map(([root]) => String(root)))],
      missing: (data) => [
        ...new Set(
          paths
            .map(plainPath)
            .filter((path) => isMissing(path, data))
            .map(joined),
        ),
      ],
    }
    return { ok: true, template }
  } catch (error) {
    return { ok: false, fault: faultOf(error) }
  }
}

/** `message (line 2, column 5)`. */
export function formatTemplateFault({ message, line, column }: TemplateFault): string {
  return `${message} (line ${line}, column ${column})`
}

function renderNodes(liquid: Liquid, nodes: Node[], data: TemplateData): Rendering {
  try {
    const context = new Context(
      { ...data },
      liquid.options,
      { sync: true, memoryLimit: MOST_WORK },
      { liquid },
    )
    limitSteps(context)
    const output = limitedOutput(context)
    toValueSync(liquid.renderer.renderTemplates(nodes, context, output))
    return { ok: true, text: output.buffer }
  } catch (error) {
    return { ok: false, fault: faultOf(error) }
  }
}

/** The part of a path that is known without rendering: everything before the first name in brackets. */
function plainPath(segments: Segments): readonly (string | number)[] {
  const nested = segments.findIndex((segment) => typeof segment === 'object')
  return (nested === -1 ? segments : segments.slice(0, nested)) as readonly (string | number)[]
}

/** `size`, `first` and `last` are Liquid's own of whatever comes before them. */
const OF_LISTS: ReadonlySet<unknown> = new Set(['size', 'first', 'last'])

function isMissing(path: readonly (string | number)[], data: TemplateData): boolean {
  let found: unknown = data
  for (const segment of path) {
    if (OF_LISTS.has(segment) && (typeof found === 'string' || Array.isArray(found))) return false
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, segment)) return true
    found = (found as Readonly<Record<string | number, unknown>>)[segment]
  }
  return found === undefined || found === null
}

function joined(path: readonly (string | number)[]): string {
  return path.join('.')
}

function faultOf(error: unknown): TemplateFault {
  if (!LiquidError.is(error)) return { message: messageOf(error), line: 1, column: 1 }
  const [line = 1, column = 1] = error.token.getPosition()
  return { message: messageOf(error.originalError ?? error), line, column }
}

function messageOf(error: unknown): string {
  // Liquid writes the place behind the message, which we tell apart from it.
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/, line:\d+, col:\d+$/, '')
}
