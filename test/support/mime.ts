export interface MimeAttachment {
  readonly name: string
  readonly type: string
  readonly content: Buffer
}

/** The attachments of a mail as they came over SMTP, decoded; enough of MIME for what one mailer writes. */
export function attachmentsIn(raw: string): readonly MimeAttachment[] {
  const [head, body] = divide(raw)
  const boundary = /boundary="([^"]+)"/i.exec(head)?.[1]
  if (boundary === undefined)
    return /^content-disposition: attachment/im.test(head) ? [attachment(head, body)] : []
  return body
    .split(`--${boundary}`)
    .slice(1, -1)
    .flatMap((part) => attachmentsIn(part.replace(/^\r\n/, '')))
}

function divide(raw: string): readonly [head: string, body: string] {
  const end = raw.indexOf('\r\n\r\n')
  return [raw.slice(0, end).replaceAll(/\r\n[ \t]+/g, ' '), raw.slice(end + 4)]
}

function attachment(head: string, body: string): MimeAttachment {
  const encoding = /^content-transfer-encoding: (\S+)/im.exec(head)?.[1]
  if (encoding !== 'base64') throw new Error(`an attachment in ${encoding}`)
  const extended = /filename\*0?\*=utf-8''([^;\s]+)/i.exec(head)?.[1]
  const plain = /filename="?([^";\r\n]+)"?/i.exec(head)?.[1]
  return {
    name: extended === undefined ? (plain ?? '') : decodeURIComponent(extended),
    type: /^content-type: ([^;\s]+)/im.exec(head)?.[1] ?? '',
    content: Buffer.from(body, 'base64'),
  }
}

export interface MimeText {
  readonly type: string
  readonly text: string
}

/** The texts of a mail as they came over SMTP, decoded; attachments are left out. */
export function textsIn(raw: string): readonly MimeText[] {
  const [head, body] = divide(raw)
  const boundary = /boundary="([^"]+)"/i.exec(head)?.[1]
  if (boundary !== undefined)
    return body
      .split(`--${boundary}`)
      .slice(1, -1)
      .flatMap((part) => textsIn(part.replace(/^\r\n/, '')))
  if (/^content-disposition: attachment/im.test(head)) return []
  const encoding = /^content-transfer-encoding: (\S+)/im.exec(head)?.[1] ?? '7bit'
  return [{ type: /^content-type: ([^;\s]+)/im.exec(head)?.[1] ?? '', text: decoded(encoding, body) }]
}

function decoded(encoding: string, body: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString()
  if (encoding !== 'quoted-printable') return body
  const bytes = body
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_code, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
