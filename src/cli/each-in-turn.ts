import { print, type VerbOptions } from './alerts.ts'
import { createApi, type Api, type Json } from './api.ts'
import { findConnection } from './connection.ts'
import { printable, type Terminal } from './terminal.ts'

/**
 * Acts on each id in turn and says a line about it, or with `--json` prints the answer; the first failure ends it.
 * Resolves with the exit code.
 */
export async function eachInTurn(
  ids: readonly string[],
  { options, terminal }: { readonly options: VerbOptions; readonly terminal: Terminal },
  act: (api: Api, id: string) => Promise<{ readonly answer: Json; readonly said: string }>,
): Promise<number> {
  const api = createApi(findConnection(options, terminal), terminal)
  for (const id of ids) {
    const { answer, said } = await act(api, id)
    if (options.json === true) print(terminal, answer)
    else terminal.write(`${printable(said)}\n`)
  }
  return 0
}
