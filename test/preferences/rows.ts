import type { Preference } from '../../src/preferences/preference.ts'

/** `+payment.*` switches e-mail on, `-payment.*@acme` off for one customer, `-payment.*:sms` another channel. */
export function row(text: string): Preference {
  const [, sign, eventType = '', channel = 'email', customerId = null] =
    /^([+-])([^@:]*)(?::([^@]*))?(?:@(.*))?$/.exec(text) ?? []
  if (sign === undefined) throw new Error(`${text} is no row`)
  // Tests write channels as the engine has them.
  return { eventType, channel: channel as Preference['channel'], enabled: sign === '+', customerId }
}

/** The other way: `~` is a row that is paused. */
export function told(rows: readonly Preference[]): readonly string[] {
  return rows.map(
    ({ eventType, channel, enabled, customerId, paused }) =>
      `${paused ? '~' : enabled ? '+' : '-'}${eventType}:${channel}${customerId === null ? '' : `@${customerId}`}`,
  )
}
