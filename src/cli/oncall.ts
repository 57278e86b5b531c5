import { print } from './alerts.ts'
import { createApi, field, isObject, itemsOf } from './api.ts'
import { findConnection } from './connection.ts'
import { table } from './terminal.ts'
import type { VerbOptions } from './alerts.ts'
import type { Terminal } from './terminal.ts'

/** Who is on call now, until when, and who comes next: every team, or one. */
export async function onCallNow(
  team: string | undefined,
  options: VerbOptions,
  terminal: Terminal,
): Promise<number> {
  const answer = await createApi(findConnection(options, terminal), terminal).get('/v1/oncall')
  const items = itemsOf(answer).filter((item) => team === undefined || field(item, 'team') === team)
  if (options.json === true) return print(terminal, { ...answer, items })
  const rows = items.map((item) => [
    field(item, 'team'),
    who(item['user'] ?? item['users'] ?? item['now']) || 'nobody',
    field(item, 'until'),
    who(item['next']),
  ])
  terminal.write(table(['TEAM', 'ON CALL', 'UNTIL', 'NEXT'], rows))
  return 0
}

/** Names out of an id, an object that has one, or a list of either. */
function who(value: unknown): string {
  if (Array.isArray(value)) return value.map(who).filter(Boolean).join(', ')
  if (isObject(value)) return who(value['user'] ?? value['name'] ?? value['id'])
  return typeof value === 'string' ? value : ''
}
