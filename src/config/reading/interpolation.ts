/**
 * `${NAME}` and `${NAME:-default}`. The references are put out of YAML's way before it reads the file, because
 * braces end a plain scalar inside `{ … }`, and filled in afterwards, so that no value from outside is ever read as
 * YAML. Each character of a reference moves into Unicode's private use area: lengths, and with them lines and
 * columns, stay as they are.
 */
const SHIFT = 0xe000
const REFERENCE = /\$?\$\{[^}\r\n]*\}/g
const HIDDEN = /\u{E024}?\u{E024}\u{E07B}[\u{E000}-\u{EFFF}]*?\u{E07D}/gu
const NAMED = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}$/

const move = (text: string, by: number) =>
  Array.from({ length: text.length }, (_, index) => String.fromCharCode(text.charCodeAt(index) + by)).join('')

/** Hides every reference whose characters the private use area can take; the text keeps its length. */
export function hideReferences(text: string): string {
  return text.replace(REFERENCE, (reference) =>
    /^[\0-\u{FFF}]*$/u.test(reference) ? move(reference, SHIFT) : reference,
  )
}

/** Undoes {@link hideReferences}, for messages. */
export function showReferences(text: string): string {
  return text.replace(HIDDEN, (hidden) => move(hidden, -SHIFT))
}

export interface Interpolated {
  readonly text: string
  /** What could not be filled in, one message each. */
  readonly problems: readonly string[]
}

/** Fills in the references of a scalar, or returns null when it has none. `$${` stands for a plain `${`. */
export function interpolate(
  scalar: string,
  env: Readonly<Record<string, string | undefined>>,
): Interpolated | null {
  const problems: string[] = []
  let found = false
  const text = scalar.replace(HIDDEN, (hidden) => {
    found = true
    const reference = move(hidden, -SHIFT)
    if (reference.startsWith('$$')) return reference.slice(1)
    const match = NAMED.exec(reference)
    if (!match) {
      problems.push(
        `${reference} is no reference; write \${NAME} or \${NAME:-default}, or $\${ for a plain \${`,
      )
      return ''
    }
    const [, name = '', fallback] = match
    const value = env[name]
    // As in a shell, `:-` also replaces a value that is set but empty.
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value
    if (value === undefined) problems.push(`environment variable ${name} is not set`)
    return value ?? ''
  })
  return found ? { text, problems } : null
}
