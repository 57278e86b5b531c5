import type { TenantId } from './access/principal.ts'
import type { Board } from './board/board.ts'
import type { PublishOptions } from './broker/broker.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config/schema/schema.ts'
import type { Recipient } from './delivery/channel.ts'
import type { ChannelName } from './delivery/delivery.ts'
import type { Alert } from './alert/alert.ts'
import type { Fence } from './alert/paging/fence.ts'
import type { HoldOff } from './alert/hold-off.ts'
import type { InTurn } from './alert/change/in-turn.ts'
import type { OpenAlerts } from './alert/open-alerts.ts'
import type { Rounds } from './alert/escalation/rounds.ts'
import type { OperatorAlarm } from './alert/operator-alarm.ts'
import type { Worker } from './delivery/worker/worker.ts'
import type { Devices } from './devices/devices.ts'
import type { Directory, Person } from './directory/directory.ts'
import type { Ids } from './ids.ts'
import type { Live } from './live/live.ts'
import type { Presence } from './live/presence.ts'
import type { EventLog } from './live/stream/event-log.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Others } from './nodes/bus.ts'
import type { Rates } from './nodes/rates.ts'
import type { Noise } from './noise/noise.ts'
import type { PersonalPreferences } from './preferences/personal-preferences.ts'
import type { Receipts } from './receipts/receipts.ts'
import type { Registry } from './registry/registry.ts'
import type { Rules } from './rules/rules.ts'
import type { NewNotification, Store } from './store/store.ts'
import type { InboxWords } from './template/inbox-words.ts'

/** What carrying out a decision needs. Made once, by the composition root. */
export interface Core {
  readonly config: () => Config
  readonly directory: () => Directory
  readonly store: Store
  readonly registry: Registry
  readonly devices: Devices
  readonly preferences: PersonalPreferences
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: Metrics
  readonly live: Live
  /** Domain events on their way to the streams of people. */
  readonly events: Pick<EventLog, 'add'>
  readonly presence: Presence
  readonly board: Board
  readonly receipts: Receipts
  readonly worker: Worker
  readonly fence: Fence
  readonly inTurn: InTurn
  readonly holdOff: HoldOff
  readonly openAlerts: OpenAlerts
  readonly rounds: Rounds
  readonly noise: Noise
  readonly rules: Rules
  readonly operatorAlarm: OperatorAlarm
  /** Sends to the subscribers of a topic in the engine's name; nothing is stored. */
  readonly publish: (topic: string, payload: string, options?: PublishOptions) => void
  readonly wanted: (topic: string) => boolean
  /** How parts speak to their likes on other nodes; absent on a single one. */
  readonly others?: Others | null
  /** Whether this is the node that does what only one does; absent on a single one, which does everything. */
  readonly leads?: (() => boolean) | undefined
  /** Rates that are counted over all nodes; absent on a single one. */
  readonly rates?: Rates | undefined
  /** Origin of links; known once the server listens. */
  readonly publicUrl: () => string
  /** An alert's page was given up: see alert/paging/bring-forward.ts. */
  readonly bringForward: (tenant: TenantId, alertId: string) => Promise<void>
  /** Brings alerts in line with what keeps them quiet: see noise/reconsider.ts. Never rejects. */
  readonly reconsider: (alerts: Iterable<Alert>) => Promise<void>
  /** Where a channel could reach this person now, apart from what they prefer; nowhere on `realtime`. */
  readonly addressesOf: (person: Recipient, channel: ChannelName) => readonly string[]
  /** The lane of the worker that sends to this address: see Channel.target. */
  readonly laneOf: (channel: ChannelName, address: string | null) => string
  /** What a template makes of an entry for this person; null leaves it as it was published. Never throws. */
  readonly wordInbox: (notification: NewNotification, person: Person) => InboxWords | null
}

/** Topics of the product itself; one of them that no route takes is a mistake, not a plain topic (contract section 4). */
export const OWN_PREFIXES = ['notifications', 'alerts', 'events', 'websocket', 'users'] as const
