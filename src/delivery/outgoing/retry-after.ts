/**
 * The wait that a `Retry-After` header asks for (RFC 9110 section 10.2.3), in seconds or as a date, or undefined
 * when there is none that can be read. Never negative; cutting it to size is the caller's.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? ''
  if (/^[0-9]{1,9}(\.[0-9]+)?$/.test(text)) return Math.ceil(Number(text) * 1000)
  if (!/^[A-Za-z]{3,9}, /.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
