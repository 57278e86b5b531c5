import type { Principal } from './access/principal.ts'
import type { Alert } from './alert/alert.ts'
import type { AlertLinks } from './alert/link/links.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config/schema/schema.ts'
import type { ContactBook } from './contact/contact-book.ts'
import type { TestSends } from './contact/test-send.ts'
import type { Callbacks } from './delivery/answers/callbacks.ts'
import type { Chaos } from './delivery/chaos.ts'
import type { Recipient } from './delivery/channel.ts'
import type { ChannelName, Delivery } from './delivery/delivery.ts'
import type { OptOuts } from './delivery/answers/opt-outs.ts'
import type { Devices } from './devices/devices.ts'
import type { Directory } from './directory/directory.ts'
import type { Ids } from './ids.ts'
import type { Explained, Rehearsal } from './explain/explain.ts'
import type { WhatIf } from './explain/scenario.ts'
import type { SimulatedEvent } from './explain/simulate.ts'
import type { Why } from './explain/why.ts'
import type { Live } from './live/live.ts'
import type { EventLog } from './live/stream/event-log.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { AlertCommandDecision, InboxDecision } from './notification/decision.ts'
import type { Silences } from './noise/silences.ts'
import type { PersonalPreferences } from './preferences/personal-preferences.ts'
import type { Outcome, Publish } from './router/publish.ts'
import type { Problem } from './preflight/preflight.ts'
import type { Registry } from './registry/registry.ts'
import type { ExpectedTopic } from './rules/expectations.ts'
import type { Store } from './store/store.ts'

/** What the HTTP side and the command line may ask of the running program. Made by the composition root, app.ts. */
export interface Engine {
  readonly config: Config
  readonly directory: Directory
  readonly store: Store
  readonly registry: Registry
  readonly devices: Devices
  /** The `applicationServerKey` of web push (RFC 8292), base64url. */
  readonly vapidPublicKey: string
  readonly preferences: PersonalPreferences
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: Metrics
  readonly live: Live
  /** Straight to the streams of people, stored nowhere. */
  readonly events: Pick<EventLog, 'add'>
  /** The same door for every transport (contract section 4). */
  receive(publish: Publish, submitted?: () => void): Promise<Outcome>
  /** Acts on an alert; resolves after the commit with the alert as it is then. Faults: `publish.unknown_alert`, `alert.…`. Idempotent as contract section 6 says. */
  commandAlert(command: AlertCommandDecision, by: Principal, via: string): Promise<Alert>
  /** Reads, un-reads or deletes inbox entries; resolves with the ids that changed. */
  markInbox(mark: InboxDecision, by: Principal): Promise<readonly string[]>
  /** Presents a dead letter again under its own id; the letter is removed when that succeeds. */
  replayDeadLetter(by: Principal, id: string): Promise<Outcome>
  /** Puts an ended delivery up for sending again as a new row; resolves with its id. */
  resendDelivery(by: Principal, id: string): Promise<string>
  /** Cancels a delivery that waits; resolves with it after the commit. See delivery/direct/cancel.ts. */
  cancelDelivery(by: Principal, id: string): Promise<Delivery>
  /** A person's answer to a captured message. Resolves with the text they get back. */
  replyToOutbox(
    by: Principal,
    itemId: string,
    reply: { readonly text?: string; readonly action?: string },
  ): Promise<string>
  /** What comes back from the providers of SMS and calls, once its signature was checked. */
  readonly callbacks: Callbacks
  /** Whether a channel could reach this person now, apart from what they prefer. */
  readonly canReach: (person: Recipient, channel: ChannelName) => boolean
  /** Trouble that operators make for captured channels. */
  readonly chaos: Chaos
  /** What the links in pages lead to. */
  readonly links: AlertLinks
  /** What people do to their own addresses. */
  readonly contacts: ContactBook
  /** Tries a person's addresses; see contact/test-send.ts. */
  readonly testSend: TestSends['send']
  /** Who answered STOP. */
  readonly optOuts: Pick<OptOuts, 'list' | 'lift'>
  /** What people keep quiet (contract section 6). */
  readonly silences: Silences
  /** Everything in a tenant whose silence is an alarm. */
  readonly expected: (tenant: string) => readonly ExpectedTopic[]
  /** Why somebody was or was not told; see explain/why.ts. */
  why(by: Principal, id: string, userId: string): Promise<Why>
  /** What would become of a publish; see explain/explain.ts. Stores and sends nothing. */
  explain(rehearsal: Rehearsal): Promise<Explained>
  /** What would become of an alert; see explain/simulate.ts. Stores and sends nothing. */
  simulate(by: Principal, whatIf: WhatIf): Promise<readonly SimulatedEvent[]>
  /** What the last look ahead found, of every tenant. */
  preflight(): readonly Problem[]
  /** Null when publishes are accepted and stored, else why not. */
  readiness(): Promise<string | null>
}
