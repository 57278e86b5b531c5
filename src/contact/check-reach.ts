import type { TenantId } from '../access/principal.ts'
import type { Config } from '../config/schema/schema.ts'
import type { OptOuts } from '../delivery/answers/opt-outs.ts'
import { serves } from '../delivery/providers/fail-over.ts'
import { fault } from '../errors.ts'
import type { ContactChannel } from './contact.ts'

/**
 * Throws `contact.unreachable` for an address that no code may be sent to: a number of a country that the
 * configuration does not allow (security row 21), or one that answered STOP. Numbers that charge whoever calls them
 * are no addresses in the first place.
 */
export function checkReach(
  channels: Config['channels'],
  optOuts: Pick<OptOuts, 'has'>,
  tenant: TenantId,
  { channel, address }: { readonly channel: ContactChannel; readonly address: string },
): void {
  if (channel !== 'sms' && channel !== 'voice') return
  if (!isServed(channels, channel, address))
    throw fault('contact.unreachable', `The configuration allows no ${channel} to this country`)
  if (channel === 'sms' && optOuts.has(tenant, address))
    throw fault('contact.unreachable', 'This number answered STOP; send START from it first')
}

function isServed({ sms, voice }: Config['channels'], channel: 'sms' | 'voice', phone: string): boolean {
  if (channel === 'voice') return serves(voice.countries, phone)
  if (!serves(sms.countries, phone)) return false
  return sms.providers.length === 0 || sms.providers.some(({ countries }) => serves(countries, phone))
}
