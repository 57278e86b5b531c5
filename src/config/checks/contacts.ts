import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { parseMailbox } from '../../delivery/address.ts'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

/** One bare mailbox, by the same rule as every address that is sent to (security row 20). */
export function isMailbox(text: string): boolean {
  return !text.includes('<') && parseMailbox(text) !== null
}

/**
 * Null for a number that can be dialled, else what is wrong. Lengths are checked and number blocks are not: a block
 * that was assigned after the library's data must not stop a start.
 */
function phoneFault(text: string, form: 'e164' | 'free'): string | null {
  const parsed = parsePhoneNumberFromString(text)
  const reachable = parsed?.isPossible() === true
  if (reachable && (form === 'free' || text === parsed.number)) return null
  const hint = reachable ? `; write ${parsed.number}` : ' such as +4915112345678'
  return `"${text}" is no phone number with country code${hint}`
}

export function checkAddresses(config: Config): Finding[] {
  return Object.entries(config.users).flatMap(([id, { email, phone }]) => {
    const findings: Finding[] = []
    if (email !== undefined && !isMailbox(email)) {
      findings.push({
        path: ['users', id, 'email'],
        message: `"${email}" is no mailbox such as anna@example.org`,
      })
    }
    const wrong = phone === undefined ? null : phoneFault(phone, 'e164')
    if (wrong !== null) findings.push({ path: ['users', id, 'phone'], message: wrong })
    return findings
  })
}

export function checkCustomerPhones(config: Config): Finding[] {
  return Object.entries(config.customers).flatMap(([id, { phones }]) =>
    phones.flatMap((phone, index) => {
      const wrong = phoneFault(phone, 'free')
      return wrong === null ? [] : [{ path: ['customers', id, 'phones', index], message: wrong }]
    }),
  )
}

export function checkSender({ channels }: Config): Finding[] {
  const { from } = channels.email
  const mailbox = /^[^<>\r\n]*<([^<>]*)>$/.exec(from)?.[1] ?? from
  if (isMailbox(mailbox)) return []
  return [
    {
      path: ['channels', 'email', 'from'],
      message: `"${from}" is no sender such as Alerts <alerts@example.org>`,
    },
  ]
}

export function checkLocales(config: Config): Finding[] {
  return Object.entries(config.users)
    .filter(([, { locale }]) => !isLocale(locale))
    .map(([id, { locale }]) => ({
      path: ['users', id, 'locale'],
      message: `"${locale}" is no language such as en, de or pt-BR`,
    }))
}

/** Whether it is a language tag of BCP 47, known or not. */
export function isLocale(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length === 1
  } catch {
    return false
  }
}
