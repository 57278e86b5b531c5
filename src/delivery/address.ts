import { domainToASCII } from 'node:url'
import { parsePhoneNumberFromString } from 'libphonenumber-js/max'

const LONGEST_MAILBOX = 254
const LONGEST_LOCAL_PART = 64
const LONGEST_PHONE = 40

/** RFC 5322 dot-atom, ASCII only: what every mail server takes. Quoted local parts are where the attacks live. */
const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i
const DOMAIN =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i
const NAMED = /^(?:"[^"\\<>@\p{Cc}]{0,100}" {0,2}|[^"\\<>@,;:()\p{Cc}]{0,100})<([^<>]+)>$/u

/**
 * The one mailbox a text names, as `local@domain`, or null (security row 20): at most 254 characters, no line breaks,
 * no lists, groups, comments, quoted parts or address literals. `Anna <anna@example.org>` is taken without its
 * name. An international domain comes back in its ASCII form.
 */
export function parseMailbox(text: string): string | null {
  if (text.length > 2 * LONGEST_MAILBOX) return null
  const bare = NAMED.exec(text)?.[1] ?? text
  const at = bare.lastIndexOf('@')
  if (at < 1 || at > LONGEST_LOCAL_PART) return null
  const local = bare.slice(0, at)
  const given = bare.slice(at + 1)
  // The URL rules would turn `%61` or a tab into something that looks well-formed.
  if (!LOCAL_PART.test(local) || !/^[\p{L}\p{M}\p{N}.-]+$/u.test(given)) return null
  const domain = domainToASCII(given)
  if (!DOMAIN.test(domain) || /^[0-9.]+$/.test(domain)) return null
  const mailbox = `${local}@${domain}`
  return mailbox.length > LONGEST_MAILBOX ? null : mailbox
}

/**
 * What the numbering plans of the US and Canada, the United Kingdom and Germany, and the ITU, set aside for numbers
 * that charge, whether or not one is assigned yet: the library knows assigned ones only.
 */
const PREMIUM_RANGES = /^\+(?:1900|1976|449|49900|979)/

/**
 * The phone number a text names in E.164 form (`+4915112345678`), or null (security row 21). It must come with its
 * country code; spaces, dots, dashes and brackets are taken. Numbers that charge whoever calls them are refused unless
 * `premium` is true.
 */
export function parsePhone(text: string, { premium = false }: { premium?: boolean } = {}): string | null {
  if (text.length > LONGEST_PHONE || !/^\s*\+[0-9 ()./-]+$/.test(text)) return null
  const number = parsePhoneNumberFromString(text.trim())
  if (!number?.isPossible()) return null
  return !premium && isPremium(number.number) ? null : number.number
}

/** Whether a number in E.164 form charges whoever calls it or sends to it (security row 21). */
export function isPremium(number: string): boolean {
  const type = parsePhoneNumberFromString(number)?.getType()
  return type === 'PREMIUM_RATE' || type === 'SHARED_COST' || PREMIUM_RANGES.test(number)
}
