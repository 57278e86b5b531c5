/** The events of each known group of notifications; `*` stands for all of a group. */
export type NotificationTypes = ReadonlyMap<string, readonly string[]>

/** What the requirement documents name (checklist X10, X11, X14, C05, C09, C17). */
const ALWAYS: Readonly<Record<string, readonly string[]>> = {
  system: [],
  payment: [],
  dunning: [],
  crm: [],
  security: [],
  mail: ['new_message', 'folder_update'],
  chat: ['message_received'],
  task: [],
}

/** The category that nobody gets without having asked for it (checklist X14). */
export const OPT_IN_CATEGORY = 'mail'

/** Every event of a group. */
export const WHOLE_GROUP = '*'

/** The groups that are always there and those of `notification_types`, which may also add events to them. */
export function notificationTypes(
  configured: Readonly<Record<string, { readonly events: readonly string[] }>>,
): NotificationTypes {
  const types = new Map(Object.entries(ALWAYS).map(([group, events]) => [group, [WHOLE_GROUP, ...events]]))
  for (const [group, { events }] of Object.entries(configured))
    types.set(group, [...new Set([...(types.get(group) ?? [WHOLE_GROUP]), ...events])])
  return types
}

/**
 * What the known group of this name is called; undefined for none. The CoreBanq document says `chat` of what is shown
 * and `chats` of what is sent, and means the same (checklist C13).
 */
export function groupNamed(types: NotificationTypes, name: string): string | undefined {
  if (types.has(name)) return name
  const one = name.replace(/s$/, '')
  return one !== name && types.has(one) ? one : undefined
}
