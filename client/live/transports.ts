import type { NamedTransport } from './connection.ts'
import type { MqttLike } from './over-mqtt.ts'
import type { Surroundings } from '../surroundings.ts'
import {
  overEventStream,
  overPolling,
  overSocket,
  type Open,
  type Transport,
  type TransportName,
} from './transport.ts'

/** The one that is wanted and those that take its place, in their order. Throws a TypeError when there is none of that name. */
export function transportsFrom(
  wanted: TransportName,
  mqtt: MqttLike | (() => Promise<MqttLike>) | undefined,
  { webSocket }: Pick<Surroundings, 'webSocket'>,
): readonly NamedTransport[] {
  const all: readonly NamedTransport[] = [
    { name: 'mqtt', open: later(async () => (await import('./over-mqtt.ts')).overMqtt(mqtt)) },
    { name: 'ws', open: overSocket },
    { name: 'sse', open: overEventStream },
    { name: 'poll', open: overPolling },
  ]
  const first = all.findIndex(({ name }) => name === wanted)
  if (first < 0) {
    const names = all.map(({ name }) => name).join(', ')
    throw new TypeError(`transport is one of ${names}; there is no ${JSON.stringify(wanted)}`)
  }
  return all.slice(first).filter(({ name }) => name !== 'ws' || webSocket)
}

/** A transport whose code is fetched when it is opened. */
function later(load: () => Promise<Transport>): Transport {
  return (requests, surroundings, since, listener) => {
    let closed = false
    let open: Open | null = null
    const begin = (transport: Transport) => {
      if (!closed) open = transport(requests, surroundings, since, listener)
    }
    load().then(begin, () => {
      if (!closed) listener.ended()
    })
    return {
      close() {
        closed = true
        open?.close()
      },
      ping: () => open?.ping?.(),
    }
  }
}
