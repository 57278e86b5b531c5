import type { Finding, Path } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

type Sms = Config['channels']['sms']

/** A channel that sends needs to know through whom: every provider that is named has to be complete. */
export function checkSmsProviders({ channels: { sms } }: Config): Finding[] {
  const listed = sms.providers.map((provider, index) => ({
    provider,
    path: ['channels', 'sms', 'providers', index],
  }))
  const findings = listed.flatMap(({ provider, path }) =>
    missing(provider, path, `provider ${provider.provider}`),
  )
  if (listed.length > 0 || sms.mode === 'captured') return findings
  return missing(sms, ['channels', 'sms'], `mode ${sms.mode}`)
}

function missing(
  given: Omit<Sms, 'mode' | 'on_ambiguous' | 'providers' | 'allow_premium'>,
  path: Path,
  who: string,
): Finding[] {
  const absent = (key: string) => ({ path: [...path, key], message: `is missing; ${who} needs it` })
  if (given.provider === 'http') return given.url === undefined ? [absent('url')] : []
  const findings = (['account_sid', 'auth_token'] as const)
    .filter((key) => given[key] === undefined || given[key] === '')
    .map(absent)
  const sender = given.from ?? given.messaging_service_sid ?? ''
  if (sender !== '') return findings
  const message = `is missing; ${who} needs it, or messaging_service_sid`
  return [...findings, { path: [...path, 'from'], message }]
}

/** Keys that are pressed come back over HTTP, so that calls need an address of ours too. */
export function checkVoiceProvider({ channels: { voice }, server }: Config): Finding[] {
  if (voice.mode === 'captured') return []
  const absent = (path: Path) => ({ path, message: `is missing; mode ${voice.mode} of voice needs it` })
  return [
    ...(['account_sid', 'auth_token', 'from'] as const)
      .filter((key) => voice[key] === undefined || voice[key] === '')
      .map((key) => absent(['channels', 'voice', key])),
    ...(server.public_url === undefined ? [absent(['server', 'public_url'])] : []),
  ]
}

export function checkCountries({ channels: { sms, voice } }: Config): Finding[] {
  const lists = [
    { path: ['channels', 'sms', 'countries'], countries: sms.countries },
    { path: ['channels', 'voice', 'countries'], countries: voice.countries },
    ...sms.providers.map(({ countries }, index) => ({
      path: ['channels', 'sms', 'providers', index, 'countries'],
      countries,
    })),
  ]
  return lists.flatMap(({ path, countries }) =>
    countries.flatMap((prefix, index) =>
      /^\+[1-9][0-9]{0,14}$/.test(prefix)
        ? []
        : [{ path: [...path, index], message: `"${prefix}" is no beginning of numbers such as +49` }],
    ),
  )
}
