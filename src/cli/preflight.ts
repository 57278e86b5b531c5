import { print, type VerbOptions } from './alerts.ts'
import { createApi, field, itemsOf } from './api.ts'
import { findConnection } from './connection.ts'
import { table, type Terminal } from './terminal.ts'

/**
 * What would keep a page of the next 14 days from arriving (pain P15). Exit code 1 when there is anything, so that a
 * script can ask before a change.
 */
export async function showPreflight(options: VerbOptions, terminal: Terminal): Promise<number> {
  const answer = await createApi(findConnection(options, terminal), terminal).get('/v1/preflight')
  const problems = itemsOf(answer)
  if (options.json === true) print(terminal, answer)
  else if (problems.length === 0) terminal.write('every page of the next 14 days reaches somebody\n')
  else
    terminal.write(
      table(
        ['CODE', 'TEAM', 'USER', 'FROM', 'TO', 'IN WORDS'],
        problems.map((problem) =>
          ['code', 'team', 'user', 'from', 'to', 'message'].map((key) => field(problem, key)),
        ),
      ),
    )
  return problems.length === 0 ? 0 : 1
}
