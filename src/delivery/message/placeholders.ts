import { oneLine } from './text.ts'

const PLACEHOLDER = /\{\{\s*(\w+)\s*\}\}/g

/**
 * Puts values in the place of `{{name}}`, each as one line and in the form that `encode` gives it. In one pass, so
 * that a text that looks like a placeholder stays a text; names that `values` does not have stay as they are.
 */
export function fillPlaceholders(
  template: string,
  values: Readonly<Record<string, string>>,
  encode: (text: string) => string,
): string {
  return template.replaceAll(PLACEHOLDER, (whole, name: string) =>
    Object.hasOwn(values, name) ? encode(oneLine(values[name] ?? '')) : whole,
  )
}

/** The names that a template asks for, in their order. */
export function placeholdersOf(template: string): readonly string[] {
  return [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name)
}

/** For the inside of a JSON string. */
export function jsonEncoded(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}
