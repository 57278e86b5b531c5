import { defaultOperators, Liquid, type Context, type FilterImplOptions, type Operators } from 'liquidjs'
import { charge, LimitedCapture, LimitedFor, textOf } from './budget.ts'

/** What a template becomes: in `html` every value is escaped. */
export type TemplateFormat = 'html' | 'text'

/** Characters of the longest template. */
export const LONGEST_TEMPLATE = 64 * 1024
/** Behind the limits of budget.ts, which end everything long before; below a second Liquid's clock ends honest work. */
const RENDER_MS = 1000

/** Nothing that reads files, keeps state between two renderings, or writes into the data. */
const TAGS: ReadonlySet<string> = new Set(
  'assign break capture case comment continue cycle echo for if liquid raw unless #'.split(' '),
)

/** Pure ones only: nothing random, nothing that reads the clock, nothing that evaluates text as a template. */
const FILTERS: ReadonlySet<string> = new Set(
  `escape escape_once xml_escape newline_to_br strip_html url_encode url_decode
  abs at_least at_most ceil divided_by floor minus modulo plus round times
  compact concat find first has join last map reject reverse size slice sort sort_natural sum uniq where
  append array_to_sentence_string capitalize downcase lstrip normalize_whitespace number_of_words prepend remove
  remove_first remove_last replace replace_first replace_last rstrip split squish strip strip_newlines truncate
  truncatewords upcase
  date default json`.split(/\s+/),
)

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** One Liquid for each format, without files, globals or prototypes. */
export const LIQUID: Readonly<Record<TemplateFormat, Liquid>> = {
  html: htmlEngine(),
  text: restricted(new Liquid(options())),
}

function options() {
  return {
    // No template can name another: there are none, and no tag that would look.
    templates: {},
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: false,
    // What a condition asks for, and what has a `default`, may be absent where the rest may not.
    lenientIf: true,
    globals: {},
    operators: charged(defaultOperators),
    parseLimit: LONGEST_TEMPLATE,
    renderLimit: RENDER_MS,
    // Set per rendering, with everything else that is counted.
    memoryLimit: Infinity,
    timezoneOffset: 0,
    locale: 'en',
  }
}

function htmlEngine(): Liquid {
  const engine = restricted(new Liquid({ ...options(), outputEscape: (value: unknown) => escaped(value) }))
  // The result is escaped in any case; twice would show the entities.
  for (const name of ['escape', 'escape_once', 'xml_escape'])
    engine.registerFilter(name, (value: unknown) => value)
  engine.registerFilter('newline_to_br', {
    raw: true,
    handler(value: unknown) {
      charge(this.context, value)
      return escaped(value).replaceAll(/\r?\n/g, '<br>\n')
    },
  })
  return engine
}

function escaped(value: unknown): string {
  return textOf(value).replaceAll(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '')
}

function restricted(engine: Liquid): Liquid {
  for (const name of Object.keys(engine.tags)) if (!TAGS.has(name)) delete engine.tags[name]
  engine.registerTag('capture', LimitedCapture)
  engine.registerTag('for', LimitedFor)
  for (const [name, filter] of Object.entries(engine.filters)) {
    engine.unregisterFilter(name)
    if (FILTERS.has(name)) engine.registerFilter(name, chargedFilter(name, filter))
  }
  return engine
}

/** Not all of Liquid's filters count what they go over. */
function chargedFilter(name: string, filter: FilterImplOptions): FilterImplOptions {
  const handler = typeof filter === 'function' ? filter : filter.handler
  return function (value: unknown, ...args: unknown[]): unknown {
    charge(this.context, value, ...args)
    if (name === 'date' && (value === 'now' || value === 'today')) {
      throw new TypeError(`date does not know ${value}; a message shows the same whenever it is rendered`)
    }
    return handler.call(this, value, ...args) as unknown
  }
}

function charged(operators: Operators): Operators {
  return Object.fromEntries(
    Object.entries(operators).map(([name, operator]) => [
      name,
      // `not` has one operand; the context is the last argument of all of them.
      name === 'not' || name === 'and' || name === 'or'
        ? operator
        : (left: unknown, right: unknown, context: Context) => {
            charge(context, left, right)
            return operator(left, right, context)
          },
    ]),
  )
}
