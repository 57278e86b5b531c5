import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

/** Checklist X34: the two names and the dot between them. */
const LONGEST = 100

/** Groups and events are parts of the names that preferences are matched against. */
export function checkNotificationTypes({ notification_types: types }: Config): Finding[] {
  return Object.entries(types).flatMap(([group, { events }]) => {
    const wrong = nameFault(group)
    const findings: Finding[] =
      wrong === null ? [] : [{ path: ['notification_types', group], message: wrong, atKey: true }]
    for (const [index, event] of events.entries()) {
      const message = nameFault(event) ?? (group.length + event.length >= LONGEST ? tooLong(group) : null)
      if (message !== null) findings.push({ path: ['notification_types', group, 'events', index], message })
    }
    return findings
  })
}

function nameFault(name: string): string | null {
  if (name === '') return 'the name is empty'
  if (/[\s\p{Cc}]/u.test(name)) return 'a name must not hold white space or control characters'
  if (name.includes('*')) return 'a name must not hold *; all of a group are there without being named'
  return name.length < LONGEST ? null : `a name has fewer than ${LONGEST} characters`
}

function tooLong(group: string): string {
  return `${group}.… has at most ${LONGEST} characters`
}
