import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * `X-Twilio-Signature` of a form (https://www.twilio.com/docs/usage/security): HMAC-SHA1 over the address as Twilio
 * was given it, followed by every name and value in the order of the names.
 */
export function twilioSignature(
  authToken: string,
  url: string,
  fields: Readonly<Record<string, string>>,
): string {
  const names = Object.keys(fields).toSorted()
  const signed = url + names.map((name) => `${name}${fields[name] ?? ''}`).join('')
  return createHmac('sha1', authToken).update(signed).digest('base64')
}

/** Whether one of the accounts signed it; takes the same time for every wrong signature (security row 25). */
export function isSignedByTwilio(
  authTokens: readonly string[],
  given: string,
  url: string,
  fields: Readonly<Record<string, string>>,
): boolean {
  const claimed = Buffer.from(given)
  return authTokens.some((token) => {
    const right = Buffer.from(twilioSignature(token, url, fields))
    return right.length === claimed.length && timingSafeEqual(right, claimed)
  })
}
