import type { Credentials } from '../load/packets.ts'

/** A server under test, listening on 127.0.0.1. */
export interface Contender {
  readonly name: string
  readonly pid: number
  readonly mqttPort: number
  readonly publisher: Credentials | null
  stop(): Promise<void>
}
