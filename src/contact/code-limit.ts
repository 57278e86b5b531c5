import type { Person } from '../directory/directory.ts'
import { fault } from '../errors.ts'
import { recordKind, type Registry } from '../registry/registry.ts'
import { digestOf, recentCodes, waitForCode, type SentCode } from './code.ts'

/** The codes that one person has asked for lately; one record each, so that a restart makes nobody's allowance new. */
const CODES = recordKind<{ readonly sent: readonly SentCode[] }>('contact_codes')

/**
 * Counts one more code, or throws `contact.too_many_codes`: per person, and per address whoever asks, because every
 * code costs money and rings somebody's phone (security row 21). Calls of one person come one after another.
 */
export async function admitCode(
  registry: Pick<Registry, 'get' | 'put' | 'all'>,
  { tenant, id: owner }: Person,
  address: string | null,
  now: number,
): Promise<void> {
  const place = { tenant, owner, key: 'sent' }
  const own = recentCodes(registry.get(CODES, place)?.doc.sent ?? [], now)
  const to = address === null ? null : digestOf(address)
  const there = to === null ? [] : sentTo(registry, to)
  const waitMs = Math.max(waitForCode(own, now), waitForCode(there, now))
  if (waitMs > 0) throw fault('contact.too_many_codes', undefined, undefined, waitMs)
  await registry.put(CODES, place, { sent: [...own, { at: now, to }] })
}

function sentTo(registry: Pick<Registry, 'all'>, to: string): readonly SentCode[] {
  return [...registry.all(CODES)].flatMap(({ doc }) => doc.sent.filter((code) => code.to === to))
}
