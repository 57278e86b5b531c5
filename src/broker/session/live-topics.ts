import type { Live, LiveAttachment, LiveFrame, LiveInterest, LiveSink } from '../../live/live.ts'
import type { InboxReader } from '../../store/store.ts'
import type { Outbound } from './outbound.ts'
import type { Session } from './session.ts'

/** Serves a person's own topics on one of their MQTT connections from the live fan-out (decision 6). */
export class LiveTopics {
  private readonly live: Live
  private readonly reader: InboxReader
  private readonly session: Session
  private readonly outbound: Outbound
  private attachment: LiveAttachment | null = null
  /** Granted QoS by kind of frame; absent when not subscribed. */
  private qos: Readonly<Record<LiveFrame['kind'], 0 | 1 | null>> = {
    notification: null,
    alert: null,
    unread: null,
  }

  constructor(options: { live: Live; reader: InboxReader; session: Session; outbound: Outbound }) {
    this.live = options.live
    this.reader = options.reader
    this.session = options.session
    this.outbound = options.outbound
  }

  /** The filters of the session have changed, or are in force now. */
  update(): void {
    const own = `users/${this.reader.userId}/`
    this.qos = {
      notification: atMostOnce(this.session.granted(`${own}notifications`)),
      alert: atMostOnce(this.session.granted(`${own}alerts`)),
      unread: atMostOnce(this.session.granted(`${own}unread`)),
    }
    const interest: LiveInterest = {
      notifications: this.qos.notification !== null,
      alerts: this.qos.alert !== null,
      unread: this.qos.unread !== null,
    }
    if (this.attachment) this.attachment.want(interest)
    else if (interest.notifications || interest.alerts || interest.unread) this.attach(interest)
  }

  detach(): void {
    this.attachment?.detach()
    this.attachment = null
  }

  private attach(interest: LiveInterest): void {
    const proves = () => this.qos.notification === 1
    const sink: LiveSink = {
      send: (frame, confirmed) => this.send(frame, confirmed),
      get proves() {
        return proves()
      },
    }
    this.outbound.onRoomy = () => this.attachment?.roomy()
    this.attachment = this.live.attach(this.reader, interest, sink)
  }

  private send(frame: LiveFrame, confirmed: () => void): boolean {
    const payload = Buffer.from(frame.payload)
    const message = { topic: frame.topic, payload, qos: 1, retain: frame.retain } as const
    return this.outbound.sendLive(message, this.qos[frame.kind] ?? 0, confirmed)
  }
}

/** Live frames go out at QoS 1 at most: the inbox repeats what is not confirmed. */
function atMostOnce(granted: 0 | 1 | 2 | null): 0 | 1 | null {
  return granted === 2 ? 1 : granted
}
