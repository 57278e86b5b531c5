import { print } from './alerts.ts'
import { createApi, field, itemsOf } from './api.ts'
import { findConnection } from './connection.ts'
import { table } from './terminal.ts'
import type { VerbOptions } from './alerts.ts'
import type { Terminal } from './terminal.ts'

export interface DeliveryListOptions extends VerbOptions {
  readonly user?: string
  readonly channel?: string
  readonly state?: string
  readonly alert?: string
  readonly notification?: string
  readonly limit?: string
}

export async function listDeliveries(options: DeliveryListOptions, terminal: Terminal): Promise<number> {
  const { user, channel, state, alert, notification, limit } = options
  const answer = await createApi(findConnection(options, terminal), terminal).get('/v1/deliveries', {
    user,
    channel,
    state,
    alert_id: alert,
    notification_id: notification,
    limit,
  })
  if (options.json === true) return print(terminal, answer)
  const rows = itemsOf(answer).map((delivery) => [
    field(delivery, 'id'),
    field(delivery, 'created_at'),
    field(delivery, 'user_id'),
    field(delivery, 'channel'),
    field(delivery, 'address'),
    field(delivery, 'state'),
    `${field(delivery, 'attempts')}/${field(delivery, 'max_attempts')}`,
    field(delivery, 'error') || field(delivery, 'reason'),
  ])
  terminal.write(table(['ID', 'AT', 'USER', 'CHANNEL', 'ADDRESS', 'STATE', 'ATTEMPTS', 'REASON'], rows))
  return 0
}
