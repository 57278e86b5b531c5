import type { Command } from 'commander'
import { print } from './alerts.ts'
import { createApi, field, itemsOf } from './api.ts'
import { connected, type Finish } from './command-options.ts'
import { findConnection } from './connection.ts'
import { eachInTurn } from './each-in-turn.ts'
import { table } from './terminal.ts'
import type { VerbOptions } from './alerts.ts'
import type { Terminal } from './terminal.ts'

/** `carillon deliveries ls|resend|cancel`. */
export function addDeliveries(program: Command, terminal: Terminal, finish: Finish): void {
  const deliveries = program
    .command('deliveries')
    .description('Show who was told, how, and what became of it')
  connected(deliveries.command('ls').description('List deliveries'))
    .option('--user <user>', 'only to this user')
    .option('--channel <channel>', 'only this channel')
    .option('--state <state>', 'pending, sending, sent, delivered, cancelled, suppressed, expired or dead')
    .option('--alert <id>', 'only of this alert')
    .option('--notification <id>', 'only of this notification')
    .option('--limit <count>', 'at most so many')
    .action((options: DeliveryListOptions) => finish(listDeliveries(options, terminal)))
  connected(
    deliveries.command('resend <ids...>').description('Send ended deliveries again, as new ones'),
  ).action((ids: string[], options: VerbOptions) => finish(resendDeliveries(ids, options, terminal)))
  connected(
    deliveries.command('cancel <ids...>').description('Cancel what waits for its time or its next attempt'),
  ).action((ids: string[], options: VerbOptions) => finish(cancelDeliveries(ids, options, terminal)))
}

interface DeliveryListOptions extends VerbOptions {
  readonly user?: string
  readonly channel?: string
  readonly state?: string
  readonly alert?: string
  readonly notification?: string
  readonly limit?: string
}

async function listDeliveries(options: DeliveryListOptions, terminal: Terminal): Promise<number> {
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

/** `POST /v1/deliveries/{id}/resend` for each id, in turn; the first failure ends it. */
async function resendDeliveries(
  ids: readonly string[],
  options: VerbOptions,
  terminal: Terminal,
): Promise<number> {
  return eachInTurn(ids, { options, terminal }, async (api, id) => {
    const answer = await api.post(`/v1/deliveries/${encodeURIComponent(id)}/resend`, {})
    return { answer, said: `${id} is sent again as ${field(answer, 'id')}` }
  })
}

/** `POST /v1/deliveries/{id}/cancel` for each id, in turn; the first failure ends it. */
async function cancelDeliveries(
  ids: readonly string[],
  options: VerbOptions,
  terminal: Terminal,
): Promise<number> {
  return eachInTurn(ids, { options, terminal }, async (api, id) => {
    const answer = await api.post(`/v1/deliveries/${encodeURIComponent(id)}/cancel`, {})
    return { answer, said: `${id}  ${field(answer, 'state')}` }
  })
}
