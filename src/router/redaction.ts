/** What may be taken out of texts before anybody sees them (checklist R41). */
export const REDACTIONS = ['card_number', 'secret'] as const
export type Redaction = (typeof REDACTIONS)[number]

/** Stands where something was taken out. */
export const REDACTED = '[removed]'

/** Payment card numbers (ISO/IEC 7812): 13 to 19 digits, the first of them that of a card scheme. */
const CARD_DIGITS = { least: 13, most: 19 }
/** With a separator after every digit. */
const LONGEST_PHONE = 31
const CARD_FIRST = new Set(['2', '3', '4', '5', '6'])

/** Each of them reads a text once, however it is made: nothing that repeats can be read in two ways. */
const DIGIT_GROUPS = /\+?\d+(?:[ -]\d+)*/g
const NAMED_SECRET =
  /(?<![a-z0-9])((?:password|passwd|passphrase|secret|token|api[_-]?key)["']?\s{0,3}[:=]\s{0,3})(?:"[^"]*"|'[^']*'|[^\s"',;&<>]+)/gi
const AUTHORIZATION =
  /(?<![a-z0-9])(authorization["']?\s{0,3}[:=]\s{0,3}["']?(?:[a-z]{1,20}\s{1,3})?)[^\s"',;]+/gi
const BEARER = /(?<![a-z0-9])(bearer\s{1,3})[A-Za-z0-9._~+/-]{16,}=*/gi
const JSON_WEB_TOKEN = /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+/g
const PASSWORD_IN_URL = /(:\/\/[^\s:@/]{1,100}:)[^\s@/]{1,200}(?=@)/g
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}-----[\s\S]*?(?:-----END [A-Z ]{0,40}-----|$)/g
/** Whose value is a secret whatever it looks like. */
const SECRET_NAME = /^(?:password|passwd|passphrase|secret|token|api[_-]?key|authorization)$/i

/** The text without what these name; the very same one when there is nothing of it. Pure, in time linear to the text. */
export function redactText(text: string, wanted: readonly Redaction[]): string {
  let left = text
  if (wanted.includes('secret')) {
    left = left
      .replaceAll(PRIVATE_KEY, REDACTED)
      .replaceAll(AUTHORIZATION, `$1${REDACTED}`)
      .replaceAll(BEARER, `$1${REDACTED}`)
      .replaceAll(NAMED_SECRET, `$1${REDACTED}`)
      .replaceAll(JSON_WEB_TOKEN, REDACTED)
      .replaceAll(PASSWORD_IN_URL, `$1${REDACTED}`)
  }
  return wanted.includes('card_number') ? left.replaceAll(DIGIT_GROUPS, withoutCards) : left
}

/** Whether the value of a field of this name is a secret as a whole. */
export function isSecretName(name: string, wanted: readonly Redaction[]): boolean {
  return wanted.includes('secret') && SECRET_NAME.test(name)
}

/** A card number begins and ends where a group of digits does, so that longer numbers stay what they are. */
function withoutCards(run: string): string {
  if (run.length < CARD_DIGITS.least || isPhone(run)) return run
  const parts = run.split(/([ -])/)
  let out = ''
  for (let at = 0; at < parts.length;) {
    const length = cardAt(parts, at)
    out += length === 0 ? `${parts[at]}${parts[at + 1] ?? ''}` : `${REDACTED}${parts[at + length] ?? ''}`
    at += length === 0 ? 2 : length + 1
  }
  return out
}

/** A number in international form, which has 15 digits at most (ITU-T E.164). */
function isPhone(run: string): boolean {
  return run.startsWith('+') && run.length <= LONGEST_PHONE && run.replaceAll(/\D/g, '').length <= 15
}

/** How many of the parts, digits and separators in turn, are one card number from here on; 0 for none. */
function cardAt(parts: readonly string[], from: number): number {
  let digits = ''
  let found = 0
  for (let at = from; at < parts.length; at += 2) {
    digits += parts[at] ?? ''
    if (digits.length > CARD_DIGITS.most) break
    if (digits.length >= CARD_DIGITS.least && isCard(digits)) found = at - from + 1
  }
  return found
}

/** Luhn's check (ISO/IEC 7812-1 annex B). */
function isCard(digits: string): boolean {
  if (!CARD_FIRST.has(digits.charAt(0))) return false
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at])
    const doubled = at % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
