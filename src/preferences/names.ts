/** What of a notification says of which kind it is. */
export interface KindOfMessage {
  readonly event?: string | undefined
  readonly type?: string | undefined
  readonly category?: string | undefined
}

/** Types that a message has when its publisher gave none (checklist R17, R21): they do not hide the category. */
const SAYING_NOTHING: ReadonlySet<string> = new Set(['info', 'system'])

/**
 * The names that patterns are matched against, at least one: the `event`, else the `type`, else the `category`
 * (contract section 7). Each also counts with what it belongs to before it, so that `chat.*` covers the event
 * `message_received` of the type `chat`, and `mail.*` all of the category `mail`.
 */
export function namesOf({ event, type: given, category }: KindOfMessage): readonly string[] {
  const type = given || 'info'
  if (event) return [event, `${type}.${event}`, ...(category ? [`${category}.${event}`] : [])]
  if (!category) return [type]
  return [type, `${category}.${type}`, ...(SAYING_NOTHING.has(type) ? [category] : [])]
}
