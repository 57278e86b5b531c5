import { RECONCILABLE } from '../../delivery/attempt/ambiguity.ts'
import type { ChannelName } from '../../delivery/delivery.ts'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

/** `reconcile` needs somebody to ask what became of a message (promise P9). */
export function checkAmbiguity({ channels }: Config): Finding[] {
  // The schema has no keys but these.
  const names = Object.keys(channels) as (keyof Config['channels'])[]
  return names.flatMap((name) => {
    if (channels[name].on_ambiguous !== 'reconcile') return []
    const path = ['channels', name, 'on_ambiguous']
    if (!RECONCILABLE.has(name satisfies ChannelName))
      return [{ path, message: `${name} has no provider that can be asked; use retry or give_up` }]
    return name === 'sms' && asksGateway(channels.sms)
      ? [{ path, message: 'an http provider cannot be asked what it sent; use retry or give_up' }]
      : []
  })
}

function asksGateway({ provider, providers }: Config['channels']['sms']): boolean {
  return providers.length === 0
    ? provider === 'http'
    : providers.some(({ provider: given }) => given === 'http')
}
