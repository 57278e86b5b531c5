/** What became of a text with placeholders. */
export type Filled =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing'; readonly name: string }
  | { readonly kind: 'too_long' }

type Values = Readonly<Record<string, unknown>>

/**
 * Puts a recipient's values into `{{name}}` (checklist R36). Texts, numbers and booleans count as values; the first
 * name without one is told. Values are not looked into for placeholders of their own, and the result has at most
 * `longest` characters. Pure.
 */
export function fill(
  text: string,
  values: Values,
  { longest, escape = String }: { readonly longest: number; readonly escape?: (value: string) => string },
): Filled {
  const parts: string[] = []
  let length = 0
  let end = 0
  // Counted on the way: a hundred short placeholders and one long value would make a text of any length.
  const add = (part: string) => {
    length += part.length
    if (length <= longest) parts.push(part)
  }
  for (const match of text.matchAll(/\{\{\s*([A-Za-z0-9_]{1,64})\s*\}\}/g)) {
    const name = match[1] ?? ''
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      return { kind: 'missing', name }
    add(text.slice(end, match.index))
    add(escape(String(value)))
    if (length > longest) return { kind: 'too_long' }
    end = match.index + match[0].length
  }
  add(text.slice(end))
  return length > longest ? { kind: 'too_long' } : { kind: 'text', text: parts.join('') }
}

/** A value that stays text inside HTML and its attributes. */
export function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
