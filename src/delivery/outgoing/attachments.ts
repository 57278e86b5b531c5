import type { SendResult } from '../channel.ts'
import { SEND_TIMEOUT_MS } from '../attempt/retry.ts'
import { cut, oneLine } from '../message/text.ts'
import { attachmentName } from './attachment-name.ts'
import type { Download, Outgoing } from './outgoing.ts'

const LONGEST_REASON = 300

/** A file as it goes into a mail. */
export interface AttachedFile {
  readonly filename: string
  readonly content: Buffer
  readonly contentType: string
}

type Failed = Extract<SendResult, { readonly ok: false }>

/** Fetches the files that go with a mail (checklist N08). */
export interface Attachments {
  /**
   * All files in the order of their URLs, or why there is no mail: what is gone, blocked, too large or of no use is
   * final, what may come later is tried again. Nothing is said about the mail server, and never the URL, which may be
   * a secret. Never rejects.
   */
  fetch(urls: readonly string[], signal: AbortSignal): Promise<readonly AttachedFile[] | Failed>
}

/** `maxBytes` counts all files of one mail together. `outgoing` decides which hosts may be called (security row 22). */
export function createAttachments(options: {
  readonly outgoing: Pick<Outgoing, 'get'>
  readonly maxBytes: number
}): Attachments {
  const { outgoing, maxBytes } = options
  return {
    async fetch(urls, signal) {
      let left = maxBytes
      const room = (bytes: number) => (left -= bytes) >= 0
      // The first that fails ends the others: there is no mail without it.
      const abort = new AbortController()
      const either = AbortSignal.any([signal, abort.signal])
      let failed: Failed | null = null
      const files = await Promise.all(
        urls.map(async (url, index) => {
          const download = await outgoing.get({ url, signal: either, waitMs: SEND_TIMEOUT_MS, room })
          const file = fileOf(download, { url, index, maxBytes })
          if ('filename' in file) return [file]
          failed ??= file
          abort.abort()
          return []
        }),
      )
      return failed ?? files.flat()
    },
  }
}

interface Asked {
  readonly url: string
  readonly index: number
  readonly maxBytes: number
}

function fileOf(download: Download, { url, index, maxBytes }: Asked): AttachedFile | Failed {
  const no = (code: string, because: string, retry = false): Failed => ({
    ok: false,
    retry,
    code,
    reason: cut(oneLine(`Attachment ${index + 1}: ${because}`), LONGEST_REASON),
    blameless: true,
  })
  if (download.kind === 'refused') return no('attachment_blocked', download.because)
  if (download.kind === 'failed')
    return no('attachment_unavailable', `the host gave no whole answer (${download.code})`, true)
  if (download.kind === 'too_large')
    return no('attachment_too_large', `the files of the mail are over ${maxBytes} bytes`)
  const { status } = download
  if (status === 404 || status === 410) return no('attachment_not_found', `the host answered ${status}`)
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return no('attachment_unavailable', `the host answered ${status}`, true)
  if (status < 200 || status >= 300)
    return no('attachment_refused', `the host answered ${status}; redirects are not followed`)
  if (download.contentEncoding !== null && download.contentEncoding.toLowerCase() !== 'identity')
    return no('attachment_bad_type', 'the host sent it packed, which nobody had asked for')
  const contentType = typeOf(download.contentType)
  if (contentType === null) return no('attachment_bad_type', 'a message or a multipart is no file')
  return { filename: attachmentName(download.contentDisposition, url), content: download.body, contentType }
}

/**
 * The media type without its parameters, but for the character set of a text; `application/octet-stream` for what is
 * none. Null for types that would change the structure of the mail.
 */
function typeOf(header: string | null): string | null {
  const found = /^\s*([a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64})\s*(?:;|$)/i.exec(header ?? '')
  const type = found?.[1]?.toLowerCase() ?? 'application/octet-stream'
  if (/^(?:multipart|message)\//.test(type)) return null
  const charset = /;\s*charset\s*=\s*"?([a-z0-9_:.-]{1,40})"?\s*(?:;|$)/i.exec(header ?? '')?.[1]
  return type.startsWith('text/') && charset !== undefined
    ? `${type}; charset=${charset.toLowerCase()}`
    : type
}
