import Type, { type Static } from 'typebox'
import { firstText, keyOf, typeOf, type HookAlert } from './hook-alert.ts'

/** A message in the words of Gotify: https://gotify.net/docs/pushmsg */
export const GotifyBody = Type.Object(
  {
    message: Type.String({ minLength: 1 }),
    title: Type.Optional(Type.String()),
    priority: Type.Optional(Type.Integer()),
    extras: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: '`carillon::alert` may hold `status`, `dedup_key` and `type`',
      }),
    ),
  },
  { examples: [{ title: 'Backup', message: 'The backup has failed', priority: 8 }] },
)

/** Priorities as Gotify's app shows them: from 8 on loud, from 4 on with a sound. Title or text is the key. */
export function fromGotify({
  message,
  title,
  priority = 0,
  extras = {},
}: Static<typeof GotifyBody>): HookAlert {
  const own = extras['carillon::alert']
  const given = typeof own === 'object' && own !== null ? (own as Readonly<Record<string, unknown>>) : {}
  return {
    action: given['status'] === 'resolved' ? 'resolve' : 'fire',
    level: priority >= 8 ? 'critical' : priority >= 4 ? 'warning' : 'info',
    type: typeOf(given['type'], title, 'gotify'),
    message: title === undefined || title === '' ? message : `${title}: ${message}`,
    source: firstText(title),
    dedupKey: keyOf('gotify', firstText(given['dedup_key'], title) ?? message),
    data: { priority, ...(Object.keys(extras).length > 0 && { extras }) },
  }
}
