import { print, type VerbOptions } from './alerts.ts'
import { createApi, field, itemsOf } from './api.ts'
import { findConnection } from './connection.ts'
import { table, type Terminal } from './terminal.ts'

export interface TestSendOptions extends VerbOptions {
  readonly channel?: string
}

/**
 * Sends a test message to a person's addresses and says what became of it (contract section 9). Exit code 1 when one of
 * them was not handed over.
 */
export async function testSend(user: string, options: TestSendOptions, terminal: Terminal): Promise<number> {
  const { channel } = options
  const api = createApi(findConnection(options, terminal), terminal)
  const answer = await api.post(`/v1/users/${encodeURIComponent(user)}/test-send`, {
    ...(channel !== undefined && { channel }),
  })
  const items = itemsOf(answer)
  if (options.json === true) print(terminal, answer)
  else
    terminal.write(
      table(
        ['CHANNEL', 'ADDRESS', 'STATE', 'PROVIDER', 'REASON'],
        items.map((item) => [
          field(item, 'channel'),
          field(item, 'address'),
          field(item, 'state'),
          field(item, 'provider_id'),
          field(item, 'error') || field(item, 'reason'),
        ]),
      ),
    )
  return items.every((item) => ['sent', 'delivered'].includes(field(item, 'state'))) ? 0 : 1
}
