import { cut } from '../message/text.ts'

/** The parts of a push that give way when it is too large. */
export interface Parts {
  readonly text: string
  readonly data: Readonly<Record<string, string>>
}

/** So much of the text is left before data is. */
const LEAST_TEXT = 100

/**
 * The parts, or as much of them as fits into so many bytes (behaviour N11): first the text gets shorter, then data goes
 * entry by entry, the largest first, and `truncated` says so. `size` counts the bytes of the whole message with
 * these parts, and grows with them.
 */
export function fit(parts: Parts, limit: number, size: (parts: Parts) => number): Parts {
  if (size(parts) <= limit) return parts
  const { text } = parts
  const least = cut(text, LEAST_TEXT)
  let { data } = parts
  while (size({ text: least, data }) > limit) {
    const largest = largestKey(data)
    if (largest === undefined) break
    const { [largest]: _, ...rest } = data
    data = { ...rest, truncated: 'true' }
  }
  return { text: longest(text, (shorter) => size({ text: shorter, data }) <= limit), data }
}

function largestKey(data: Parts['data']): string | undefined {
  return Object.keys(data)
    .filter((key) => key !== 'truncated')
    .toSorted((a, b) => (data[b]?.length ?? 0) + b.length - (data[a]?.length ?? 0) - a.length)[0]
}

/** The longest beginning that fits, found by halving; the shortest when none does. */
function longest(text: string, fits: (text: string) => boolean): string {
  let low = 1
  let high = text.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(cut(text, middle))) low = middle
    else high = middle - 1
  }
  return cut(text, low)
}
