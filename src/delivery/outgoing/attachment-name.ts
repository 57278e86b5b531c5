import { cut, oneLine } from '../message/text.ts'

const LONGEST_NAME = 100
const LONGEST_ENDING = 12
const FALLBACK = 'attachment'

/**
 * The name a file goes by: that of `Content-Disposition` (RFC 6266, `filename*` first), else the last part of the
 * URL's path, else `attachment`. At most 100 characters with its ending kept; without folders, control and direction
 * characters, line breaks, quotes and what file systems refuse. Pure, and total.
 */
export function attachmentName(disposition: string | null, url: string): string {
  return safe(fromDisposition(disposition ?? '')) || safe(fromPath(url)) || FALLBACK
}

function fromDisposition(text: string): string {
  // A header of a stranger: its length is bounded by that of all headers.
  const extended = /(?:^|;)\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(text)?.[1]
  if (extended !== undefined) return decoded(extended)
  const quoted = /(?:^|;)\s*filename\s*=\s*"((?:[^"\\]|\\.)*)"/i.exec(text)?.[1]
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/g, '$1')
  return /(?:^|;)\s*filename\s*=\s*([^;"\s]+)/i.exec(text)?.[1] ?? ''
}

function fromPath(url: string): string {
  return URL.canParse(url) ? decoded(new URL(url).pathname.split('/').at(-1) ?? '') : ''
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function safe(given: string): string {
  const base = oneLine(given).split(/[/\\]/).at(-1) ?? ''
  const name = base
    .replaceAll(/[<>:"|?*]/g, '_')
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '')
  if (name.length <= LONGEST_NAME) return name
  const ending = new RegExp(`\\.[A-Za-z0-9]{1,${LONGEST_ENDING}}$`).exec(name)?.[0] ?? ''
  return cut(name, LONGEST_NAME - ending.length) + ending
}
