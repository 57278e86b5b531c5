/** How an `alert_types` entry stands to others: literal names first, then longer patterns, `*` last. */
export function specificity(pattern: string): number {
  if (!pattern.includes('*')) return Infinity
  return pattern === '*' ? -1 : pattern.length
}

/** Whether a name fits a pattern in which `*` stands for any characters, also none. Linear in both lengths. */
export function fitsPattern(name: string, pattern: string): boolean {
  const parts = pattern.split('*')
  const [first = '', ...rest] = parts
  if (rest.length === 0) return name === pattern
  const last = rest.pop() ?? ''
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last))
    return false
  let position = first.length
  const end = name.length - last.length
  for (const part of rest) {
    const found = name.indexOf(part, position)
    if (found < 0 || found + part.length > end) return false
    position = found + part.length
  }
  return true
}
