import { Context, LiquidError, toValueSync, type Liquid, type Template as Node } from 'liquidjs'
import { limitedOutput, limitSteps, MOST_WORK } from './budget.ts'
import { LIQUID, type TemplateFormat } from './liquid-engines.ts'
import { MissingValue, WholeContext } from './whole-context.ts'

/** Names and plain values, as JSON has them: what a template may show. Never a secret, never a function. */
export type TemplateData = Readonly<Record<string, unknown>>

/** A text with placeholders in Liquid, ready to be rendered as often as needed. */
export interface Template {
  readonly format: TemplateFormat
  readonly source: string
  /**
   * Puts the data in. Pure and total: the same data give the same result, no template and no data make it throw, and
   * it ends within bounds (budget.ts) that hold for loops, texts and lists alike. What the data do not have is empty,
   * or with `whole` a fault, unless the template only asks for it in a condition or gives it a `default`.
   */
  render(data: TemplateData, form?: 'whole'): Rendering
  /** Names that the template uses, in the order in which it uses them first: `['order', 'user']`. */
  readonly variables: readonly string[]
}

export type Rendering =
  | { readonly ok: true; readonly text: string }
  | {
      readonly ok: false
      readonly fault: TemplateFault
      /** The paths that the data lack, such as `order.id`; where a value has several, the first. */
      readonly missing: readonly string[]
    }

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
      render: (data, form) => renderNodes(liquid, nodes, { data, whole: form === 'whole' }),
      variables: [...new Set(paths.map(([root]) => String(root)))],
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

function renderNodes(
  liquid: Liquid,
  nodes: Node[],
  { data, whole }: { readonly data: TemplateData; readonly whole: boolean },
): Rendering {
  try {
    const context = new (whole ? WholeContext : Context)(
      { ...data },
      // Everything that is missing is told at once.
      whole ? { ...liquid.options, catchAllErrors: true } : liquid.options,
      { sync: true, memoryLimit: MOST_WORK, strictVariables: whole },
      { liquid },
    )
    limitSteps(context)
    const output = limitedOutput(context)
    toValueSync(liquid.renderer.renderTemplates(nodes, context, output))
    return { ok: true, text: output.buffer }
  } catch (error) {
    const [first = error] = leavesOf(error)
    return { ok: false, fault: faultOf(first), missing: [...new Set(leavesOf(error).flatMap(missingIn))] }
  }
}

/** The single errors, in their order: those of a loop or a branch are gathered in one. */
function leavesOf(error: unknown): readonly unknown[] {
  if (error instanceof Error && 'errors' in error && Array.isArray(error.errors))
    return error.errors.flatMap(leavesOf)
  return [error]
}

function missingIn(error: unknown): readonly string[] {
  if (error instanceof MissingValue) return [error.path]
  return LiquidError.is(error) && error.originalError ? missingIn(error.originalError) : []
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
