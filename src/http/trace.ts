/** An id that a caller may choose for its request; anything else would be a way to write into our logs. */
const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,128}$/

/** The caller's `X-Request-Id` if it is one, else null. */
export function correlationIdOf(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && CORRELATION_ID.test(header) ? header : null
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/

/** The trace id of a valid W3C `traceparent` header (checklist R49), else null. */
export function traceIdOf(header: string | string[] | undefined): string | null {
  if (typeof header !== 'string' || header.length > 128) return null
  const match = TRACEPARENT.exec(header)
  // Version 00 ends after the flags; only later versions may go on.
  if (match === null || (header.startsWith('00') && match[2] !== undefined)) return null
  return match[1] ?? null
}
